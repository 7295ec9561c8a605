package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots makes the pictures of the README of the scene, into the folder
// that JOBRUNNER_SCREENSHOTS names; else it only looks whether they would show
// what they are to show.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	folder := os.Getenv("JOBRUNNER_SCREENSHOTS")
	if folder == "" {
		folder = t.TempDir()
	}
	s.pictureOfStatus(filepath.Join(folder, "terminal.svg"))
	s.pictureOfPage(filepath.Join(folder, "page.png"))
}

// pictureOfPage takes what a browser shows first.
func (s *scene) pictureOfPage(path string) {
	s.Helper()
	b := openTab(s.T)
	b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(s.page), chromedp.WaitVisible("h1"))
	for _, words := range []string{"58 %", "epoch 6/10", "no output for 4", "RuntimeError: CUDA out of memory", "slot gpu: 2 of 2 taken"} {
		b.sees(s.world, fmt.Sprintf("document.body.innerText.includes(%q)", words))
	}
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`void document.querySelectorAll(".node").forEach(n => n.textContent = n.textContent.replace(%q, "lab-srv2"))`, node())))
	if err := os.WriteFile(path, b.picture(), 0o644); err != nil {
		s.Fatal(err)
	}
}

// pictureOfStatus draws status as it stands on a terminal.
func (s *scene) pictureOfStatus(path string) {
	s.Helper()
	c := s.onConsole(112, 40, nil, "status", "--watch")
	c.seeAll(
		"✓ daemon running", "▶ 3 of 3 RUNNING", "gpu 2 of 2",
		"58%", "epoch 6/10", "2h11m", "41%", "no output for 47 min, it may be stuck",
		"slot gpu: 2 of 2 taken", "held", "after ", "~",
		"RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB", "ffmpge: not found",
	)
	c.see("usage was looked at twice", func(lines []string) string {
		if row := place(lines, "train --lr 0.01 "); row < 0 || strings.Contains(lines[row], " 0%  ") {
			return "no processor time"
		}
		return ""
	})
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // which leaves the last frame, and not ^C behind it
	c.exit()
	c.screen.rename(node(), "lab-srv2")
	if err := os.WriteFile(path, []byte(c.screen.svg("jobrunner status --watch")), 0o644); err != nil {
		s.Fatal(err)
	}
}

// rename puts one name in the place of another in the first line, ending in the
// same column: what a machine is called has nothing to do with what is shown.
func (v *vt) rename(from, to string) {
	at := strings.Index(v.line(0), from)
	if from == "" || at < 0 {
		return
	}
	end := len([]rune(v.line(0)[:at])) + len([]rune(from))
	row, sgr := v.cells[0], v.cells[0][end-1].sgr
	for i := range len(to) + len(from) {
		text := " "
		if i < len(to) {
			text = to[len(to)-1-i : len(to)-i]
		}
		if column := end - 1 - i; column >= 0 && (i < len(to) || i < len(from)) {
			row[column] = glyph{text, sgr}
		}
	}
}
