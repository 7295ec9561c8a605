package config_test

import (
	"os"
	"strings"
	"testing"
)

// What docs/configuration.md shows is taken as it stands there.
func TestDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := codeBlocks(string(data))
	if len(blocks) < 5 {
		t.Fatalf("found %d blocks", len(blocks))
	}
	for _, block := range blocks {
		name, _, _ := strings.Cut(block, "\n")
		t.Run(name, func(t *testing.T) {
			main, plugged := block, "command: [echo]\n"
			switch {
			case strings.HasPrefix(block, "# types.d/"):
				main, plugged = "slots: {gpu: 1}\n", block
			case strings.HasPrefix(block, "train:"):
				main = "types:\n  " + strings.ReplaceAll(block, "\n", "\n  ")
				plugged = ""
			}
			files := map[string]string{}
			if plugged != "" {
				files["train.yaml"] = plugged
			}
			wantFaults(t, load(t, plug(t, main, files)))
		})
	}
}

// codeBlocks gives the parts of a Markdown text that are indented by four.
func codeBlocks(text string) []string {
	var blocks []string
	var block strings.Builder
	for _, line := range append(strings.Split(text, "\n"), "end") {
		if code, ok := strings.CutPrefix(line, "    "); ok {
			block.WriteString(code + "\n")
		} else if block.Len() > 0 {
			blocks = append(blocks, block.String())
			block.Reset()
		}
	}
	return blocks
}
