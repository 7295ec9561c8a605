//go:build unix

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// visit asks for a page, with a name and a password unless the name is "".
func visit(client *http.Client, url, name, password string) (code int, body string, err error) {
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return 0, "", err
	}
	if name != "" {
		r.SetBasicAuth(name, password)
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// gets waits until a page answers in that way.
func (w *world) gets(client *http.Client, url, name, password string, want int, words string) {
	w.Helper()
	w.until(fmt.Sprintf("%s gets %d with %q as %q", url, want, words, name), func() error {
		code, body, err := visit(client, url, name, password)
		if err == nil && (code != want || !strings.Contains(body, words)) {
			err = fmt.Errorf("%d: %s", code, body)
		}
		return err
	})
}

// makeUser gives the line of a user, as people make it.
func (w *world) makeUser(name, password string) string {
	w.Helper()
	cmd := w.command("jobrunner", "passwd", name)
	cmd.Stdin = strings.NewReader(password + "\n")
	out, err := cmd.Output()
	if err != nil {
		w.Fatal(err)
	}
	return string(out)
}

// pageOf is the address of the page as the daemon's log tells it.
func (w *world) pageOf() string {
	w.Helper()
	var url string
	w.until("the log tells where the page is", func() error {
		m := regexp.MustCompile(`"page":"(https?://[^"]+/)"`).FindAllStringSubmatch(w.read("serve.log"), -1)
		if len(m) == 0 {
			return errors.New("it does not")
		}
		url = m[len(m)-1][1]
		return nil
	})
	return url
}

// certificate writes a certificate for 127.0.0.1 of that serial number, and its key.
func (w *world) certificate(serial int64) {
	w.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		w.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		w.Fatal(err)
	}
	w.write("page.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	w.write("page.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
}

// A password protects the page, also on a socket; who may see it changes while the
// daemon runs, and a file that went bad leaves that as it was and is named on the
// page.
func TestPasswordOfThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.write(configFile, "listen: unix:"+w.path("page.sock")+"\npassword_file: people\ntypes: {say: {command: [echo]}}\n")
	w.write("people", "# who may see the page\n"+w.makeUser("ada", "secret"))
	w.start()
	client := socketClient(t, w.path("page.sock"))
	const page, data = "http://localhost/", "http://localhost/api/v1/stats"
	w.gets(client, page, "", "", 401, "this page asks for a name and a password")
	w.gets(client, page, "ada", "wrong", 401, "")
	w.gets(client, page, "ada", "secret", 200, "Nothing runs")
	w.gets(client, data, "", "", 401, `{"error":`)
	w.gets(client, data, "ada", "secret", 200, "")
	w.gets(client, "http://localhost/metrics", "", "", 401, "")
	w.gets(client, "http://localhost/healthz", "", "", 200, "ok")

	w.write("people", w.read("people")+w.makeUser("grace", "other"))
	w.gets(client, page, "grace", "other", 200, "Nothing runs")
	w.write("people", "grace:other\n")
	w.gets(client, page, "ada", "secret", 200, "password_file: people:1: the password of")
	w.write("people", w.makeUser("grace", "other"))
	w.gets(client, page, "ada", "secret", 401, "")
	w.gets(client, page, "grace", "other", 200, "Nothing runs")

	// Another listen waits for the next start, and so does what goes with it.
	w.write(configFile, "listen: 127.0.0.1:0\ntypes: {say: {command: [echo]}}\n")
	w.until("the log says that listen waits", func() error {
		if !strings.Contains(w.read("serve.log"), `"keys":["listen"]`) {
			return errors.New("it does not")
		}
		return nil
	})
	w.gets(client, page, "", "", 401, "")
	for _, secret := range []string{"secret", "$2y$"} {
		if strings.Contains(w.read("serve.log"), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// The page speaks TLS, and takes up a renewed certificate and changes of the key tls
// without a restart.
func TestPageSpeaksTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.certificate(7)
	const plain = "listen: 127.0.0.1:0\ntypes: {say: {command: [echo]}}\n"
	w.write(configFile, plain+"tls: {cert: page.crt, key: page.key}\n")
	w.start()
	url := w.pageOf()
	if !strings.HasPrefix(url, "https://") {
		t.Fatalf("the page is at %s", url)
	}
	serial := int64(0)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true,
		VerifyConnection: func(c tls.ConnectionState) error {
			serial = c.PeerCertificates[0].SerialNumber.Int64()
			return nil
		},
	}}}
	meets := func(want int64) {
		t.Helper()
		w.until(fmt.Sprintf("certificate %d is shown", want), func() error {
			if _, _, err := visit(client, url, "", ""); err != nil || serial != want {
				return fmt.Errorf("it is %d, %v", serial, err)
			}
			return nil
		})
	}
	meets(7)
	w.certificate(8)
	meets(8)
	w.write("page.key", "")
	w.gets(client, url, "", "", 200, "tls: page.crt and page.key: ")
	meets(8)
	w.write(configFile, plain)
	w.gets(client, "http"+strings.TrimPrefix(url, "https"), "", "", 200, "Nothing runs")
}

// A page for others needs a password, and says so if it is sent in the clear.
func TestPageForOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.write("people", w.makeUser("ada", "secret"))
	if err := os.Chmod(w.path("people"), 0o600); err != nil {
		t.Fatal(err)
	}
	const config = "listen: 0.0.0.0:0\nallowed_hosts: [jobs.example.org]\ntypes: {say: {command: [echo]}}\n"
	w.write(configFile, config)
	if _, errs, code := w.try("serve"); code != 1 || !strings.Contains(errs, "it needs a password_file, or insecure_public: true") {
		t.Errorf("without a password: exit %d\n%s", code, errs)
	}
	w.write(configFile, config+"password_file: people\n")
	const warning = "password_file: passwords travel in the clear, since 0.0.0.0:0 is not loopback and there is no tls"
	if _, errs, code := w.try("check"); code != 0 || !strings.Contains(errs, warning) {
		t.Errorf("check: exit %d\n%s", code, errs)
	}
	w.start()
	url := strings.Replace(w.pageOf(), "[::]", "127.0.0.1", 1)
	w.gets(http.DefaultClient, url, "ada", "secret", 200, warning)
	w.gets(http.DefaultClient, url, "", "", 401, "")
	if !strings.Contains(w.read("serve.log"), warning) {
		t.Error("the log does not warn")
	}
}
