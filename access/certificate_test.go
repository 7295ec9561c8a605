package access_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/access"
)

// pair makes a certificate for localhost of that name, and its key, as PEM.
func pair(t testing.TB, name string, from, until time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return text("CERTIFICATE", der), text("PRIVATE KEY", keyDER)
}

// shop serves by TLS with the pair in its folder.
type shop struct {
	*testing.T
	dir  string
	on   atomic.Bool
	pair *access.Certificates
	addr string
	log  lines
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{T: t, dir: t.TempDir()}
	s.on.Store(true)
	s.pair = access.NewCertificates(func() (string, string) {
		if !s.on.Load() {
			return "", ""
		}
		return filepath.Join(s.dir, "page.crt"), filepath.Join(s.dir, "page.key")
	}, zerolog.New(&s.log))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}), ErrorLog: nil}
	done := make(chan struct{})
	go func() {
		_ = srv.Serve(s.pair.Listener(ln))
		close(done)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return s
}

// put writes a new pair of that name.
func (s *shop) put(name string) {
	s.Helper()
	cert, key := pair(s, name, time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour))
	write(s, filepath.Join(s.dir, "page.crt"), cert)
	write(s, filepath.Join(s.dir, "page.key"), key)
	s.pair.Look()
}

// meet gives the name in the certificate that is shown at a handshake.
func (s *shop) meet(config *tls.Config) (name, protocol string, err error) {
	s.Helper()
	config.InsecureSkipVerify = true
	conn, err := (&tls.Dialer{Config: config}).DialContext(context.Background(), "tcp", s.addr)
	if err != nil {
		return "", "", err
	}
	defer conn.Close()
	state := conn.(*tls.Conn).ConnectionState()
	return state.PeerCertificates[0].Subject.CommonName, state.NegotiatedProtocol, nil
}

func (s *shop) want(name string) {
	s.Helper()
	if got, _, err := s.meet(&tls.Config{}); err != nil || got != name {
		s.Errorf("the certificate is %q, %v, want %q", got, err, name)
	}
}

// Renewed certificates are taken up by themselves; while cert and key do not belong
// together, as in the middle of that, the ones before stay.
func TestCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.put("first")
	s.want("first")
	s.put("second")
	s.want("second")
	cert, key := pair(t, "third", time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour))
	write(t, filepath.Join(s.dir, "page.crt"), cert)
	s.pair.Look()
	s.want("second")
	want := "tls: page.crt and page.key: tls: private key does not match public key; what it held before stays in force"
	if got := s.pair.Problem(); got != want {
		t.Errorf("problem %q, want %q", got, want)
	}
	write(t, filepath.Join(s.dir, "page.key"), key)
	s.pair.Look()
	s.want("third")
	if got := s.pair.Problem(); got != "" {
		t.Errorf("problem %q", got)
	}
	if err := os.Remove(filepath.Join(s.dir, "page.key")); err != nil {
		t.Fatal(err)
	}
	s.pair.Look()
	s.want("third")
	if n := strings.Count(s.log.String(), "tls is of no use"); n != 2 {
		t.Errorf("it was said %d times, want 2:\n%s", n, &s.log)
	}
}

func TestProtocols(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.put("page")
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if name, _, err := s.meet(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version}); err == nil {
			t.Errorf("it speaks %s, as %q", tls.VersionName(version), name)
		}
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		if _, _, err := s.meet(&tls.Config{MinVersion: version, MaxVersion: version}); err != nil {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "HTTP/2.0" {
		t.Errorf("it was asked by %q, %v", body, err)
	}
	if resp, err := http.Get("http://" + s.addr); err != nil || resp.StatusCode != 400 {
		t.Errorf("without TLS: %+v, %v, want 400", resp, err)
	} else {
		resp.Body.Close()
	}
}

// Without a pair that could ever be read nothing is served; without tls at all, as
// it is.
func TestNoCertificate(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if name, _, err := s.meet(&tls.Config{}); err == nil {
		t.Errorf("it has a certificate: %q", name)
	}
	if got := s.pair.Problem(); !strings.Contains(got, "page.crt: there is no such file; nobody is let in") {
		t.Errorf("problem %q", got)
	}
	s.on.Store(false)
	if s.pair.On() || s.pair.Problem() != "" {
		t.Errorf("on: %v, problem %q", s.pair.On(), s.pair.Problem())
	}
	resp, err := http.Get("http://" + s.addr)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestCheckCertificate(t *testing.T) {
	now := time.Now()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name        string
		from, until time.Time
		want        string
	}{
		{"valid", now.Add(-day), now.Add(60 * day), ""},
		{"soon over", now.Add(-day), now.Add(5 * day), "tls: the certificate runs out on "},
		{"over", now.Add(-9 * day), now.Add(-day), "tls: the certificate ran out on "},
		{"not yet", now.Add(day), now.Add(60 * day), "tls: the certificate is valid only from "},
	} {
		s := &shop{T: t, dir: t.TempDir()}
		cert, key := filepath.Join(s.dir, "c"), filepath.Join(s.dir, "k")
		certText, keyText := pair(t, "page", tt.from, tt.until)
		write(t, cert, certText)
		write(t, key, keyText)
		warning, err := access.CheckCertificate(cert, key)
		if err != nil || (tt.want == "") != (warning == "") || !strings.HasPrefix(warning, tt.want) {
			t.Errorf("%s: %q, %v, want %q", tt.name, warning, err, tt.want)
		}
		write(t, key, "nothing")
		if _, err := access.CheckCertificate(cert, key); err == nil || !strings.HasPrefix(err.Error(), "c and k: ") {
			t.Errorf("%s, with a bad key: %v", tt.name, err)
		}
	}
}
