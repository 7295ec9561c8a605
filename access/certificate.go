package access

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
)

// soon is when a certificate that is about to run out is worth a word.
const soon = 14 * 24 * time.Hour

// Certificates are the certificate of the page and its key, as they are in their
// files: renewed ones are taken up by themselves.
type Certificates struct {
	// Files are those in force, absolute; asked at every connection. "" for both is
	// a page without TLS.
	files func() (cert, key string)
	file  *kept[*tls.Certificate]
}

// NewCertificates returns the certificates in the files that files gives, absolute,
// asked at every connection. "" for both stands for a page without TLS.
func NewCertificates(files func() (cert, key string), log zerolog.Logger) *Certificates {
	return &Certificates{files: files, file: &kept[*tls.Certificate]{
		what: "tls", log: log,
		read: func(paths []string) (*tls.Certificate, error) { return readPair(paths[0], paths[1]) },
	}}
}

// On reports whether the page speaks TLS.
func (c *Certificates) On() bool {
	cert, _ := c.files()
	return cert != ""
}

// Problem says what is wrong with the files in force, and what follows from that; ""
// if nothing is.
func (c *Certificates) Problem() string {
	cert, key := c.files()
	if cert == "" {
		return ""
	}
	pair, ok := c.file.get(cert, key)
	if words := c.file.problem(); words != "" || !ok {
		return words
	}
	return dated(pair, time.Now())
}

// CheckCertificate says why a certificate and its key are of no use, or what else is
// to be known of them.
func CheckCertificate(cert, key string) (warning string, err error) {
	pair, err := readPair(cert, key)
	if err != nil {
		return "", err
	}
	return dated(pair, time.Now()), nil
}

func readPair(cert, key string) (*tls.Certificate, error) {
	certText, err := readFile(cert)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(cert), err)
	}
	keyText, err := readFile(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(key), err)
	}
	pair, err := tls.X509KeyPair(certText, keyText)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", filepath.Base(cert), filepath.Base(key), err)
	}
	return &pair, nil
}

// dated says that a certificate is not valid now, or soon will not be; "" else.
func dated(pair *tls.Certificate, now time.Time) string {
	leaf := pair.Leaf
	switch {
	case leaf == nil:
		return ""
	case now.Before(leaf.NotBefore):
		return "tls: the certificate is valid only from " + leaf.NotBefore.Format(time.DateTime) + " on"
	case now.After(leaf.NotAfter):
		return "tls: the certificate ran out on " + leaf.NotAfter.Format(time.DateTime)
	case now.Add(soon).After(leaf.NotAfter):
		return "tls: the certificate runs out on " + leaf.NotAfter.Format(time.DateTime)
	}
	return ""
}

// Listener gives ln's connections with TLS where that is on. Close closes ln.
func (c *Certificates) Listener(ln net.Listener) net.Listener {
	return &listener{Listener: ln, certificates: c, config: &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert, key := c.files()
			if cert == "" {
				return nil, errors.New("TLS was turned off meanwhile")
			}
			if pair, ok := c.file.get(cert, key); ok {
				return pair, nil
			}
			return nil, errors.New(c.file.problem())
		},
	}}
}

type listener struct {
	net.Listener
	certificates *Certificates
	config       *tls.Config
}

// Accept waits for the next connection, and not for its handshake.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil || !l.certificates.On() {
		return conn, err
	}
	return tls.Server(conn, l.config), nil
}
