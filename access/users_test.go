package access_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"jobrunner/access"
)

// line gives the line of a user as htpasswd writes it, at the lowest cost.
func line(t testing.TB, name, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return name + ":" + string(hash) + "\n"
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheck(t *testing.T) {
	const hash = "$2y$04$YfyQuH6jNVSsfPLw8RNdMeLvB8VqKMKtkeKkgI07Gwnw.rrPLnwYW"
	long := strings.Repeat("x", 300)
	for _, tt := range []struct{ name, text, want string }{
		{"one", "ada:" + hash + "\n", ""},
		{"other kinds of bcrypt, no newline", "a:" + strings.Replace(hash, "2y", "2a", 1) + "\nb:" + strings.Replace(hash, "2y", "2b", 1), ""},
		{"comments, blank lines, CRLF, BOM", "\ufeff# people\r\n\r\nada:" + hash + "\r\n   \n", ""},
		{"names", "ada lovelace:" + hash + "\nÅda@example.org:" + hash + "\n", ""},
		{"empty", "# nobody\n", "FILE: holds no user, so nobody could see the page; jobrunner passwd USER >> FILE adds one"},
		{"plain password", "ada:secret\n", `FILE:1: the password of "ada" is not hashed with bcrypt; jobrunner passwd USER writes such a line, and so does htpasswd -nB USER`},
		{"MD5 of Apache", "ok:" + hash + "\nada:$apr1$abc$defghijklmnopqrstuv\n", `FILE:2: the password of "ada" is not hashed with bcrypt`},
		{"SHA-1", "ada:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n", `FILE:1: the password of "ada" is not hashed with bcrypt`},
		{"cut off", "ada:" + hash[:40] + "\n", `FILE:1: the password of "ada" is not hashed with bcrypt`},
		{"more after it", "ada:" + hash + " x\n", `FILE:1: the password of "ada" is not hashed with bcrypt`},
		{"cost that cannot be", "ada:" + strings.Replace(hash, "$04$", "$99$", 1) + "\n", `FILE:1: the password of "ada" is not hashed with bcrypt: `},
		{"cost of hours", "ada:" + strings.Replace(hash, "$04$", "$31$", 1) + "\n", `FILE:1: the hash of "ada" has the cost 31: each try would take minutes; use one of 16 at most`},
		{"no colon", "ada\n", "FILE:1: is no user:hash"},
		{"no name", ":" + hash + "\n", "FILE:1: the name of a user is empty"},
		{"long name", long + ":" + hash + "\n", "FILE:1: the name of a user has more than 255 bytes"},
		{"control character", "a\x1bda:" + hash + "\n", `FILE:1: "a?da" is no name of a user`},
		{"space before", " ada:" + hash + "\n", `FILE:1: " ada" is no name of a user: it begins with # or a space, or ends with one`},
		{"twice", "ada:" + hash + "\n#\nada:" + hash + "\n", `FILE:3: user "ada" stands twice; remove one of the lines`},
	} {
		path := filepath.Join(t.TempDir(), "passwords")
		write(t, path, tt.text)
		var got []string
		for _, f := range access.Check(path) {
			got = append(got, strings.ReplaceAll(strings.ReplaceAll(f.Error(), path, "FILE"), "passwords:", "FILE:"))
		}
		all := strings.Join(got, "\n")
		if (tt.want == "") != (all == "") || !strings.HasPrefix(all, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, all, tt.want)
		}
		if strings.Contains(all, "secret") || strings.Contains(all, "YfyQuH6") {
			t.Errorf("%s: a password is repeated: %q", tt.name, all)
		}
	}
	for path, want := range map[string]string{
		filepath.Join(t.TempDir(), "nothing"): "there is no such file; jobrunner passwd USER >> FILE adds one",
		t.TempDir():                           "is no regular file",
	} {
		if got := access.Check(path); len(got) != 1 || !strings.Contains(got[0].Error(), want) {
			t.Errorf("%s: got %v, want %q", path, got, want)
		}
	}
}

func TestLine(t *testing.T) {
	got, err := access.Line("ada", "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	hash, ok := strings.CutPrefix(got, "ada:")
	if !ok || !strings.HasPrefix(hash, "$2y$10$") || bcrypt.CompareHashAndPassword([]byte(hash), []byte("correct horse")) != nil {
		t.Errorf("got %q", got)
	}
	path := filepath.Join(t.TempDir(), "passwords")
	write(t, path, got+"\n")
	if faults := access.Check(path); len(faults) > 0 {
		t.Errorf("its own line: %v", faults[0])
	}
	for _, c := range []struct{ name, password, want string }{
		{"", "x", "the name of a user is empty"},
		{"a:b", "x", `"a:b" is no name of a user`},
		{"#a", "x", `"#a" is no name of a user`},
		{"ada", "", "the password is empty"},
		{"ada", strings.Repeat("x", 73), "the password has more than 72 bytes"},
	} {
		if got, err := access.Line(c.name, c.password); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %d bytes: %q, %v, want %q", c.name, len(c.password), got, err, c.want)
		}
	}
}
