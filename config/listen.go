package config

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

const listenHint = `write it as 127.0.0.1:8080 or unix:/path; "" is no page`

var hostName = newForm(`^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$`, 253) // a dot may follow it

// isHost reports whether text is a name or an address.
func isHost(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil || hostName.fits(strings.TrimSuffix(text, "."))
}

// listen takes "", host:port and unix:/path.
func (d *decoder) listen(dst *string) func(value) {
	return func(v value) {
		text, ok := d.text(v, "text", listenHint)
		if !ok {
			return
		}
		if message := listenFault(text); message != "" {
			d.fault(v, message, listenHint)
			return
		}
		*dst = text
	}
}

// listenFault says what is wrong with a listen address, "" if nothing is.
func listenFault(text string) string {
	if text == "" {
		return ""
	}
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		if !filepath.IsAbs(path) && !strings.HasPrefix(path, "/") {
			return "the path of a socket must be absolute"
		}
		return ""
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Sprintf("%q is no host:port", text)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Sprintf("%q is no port number", port)
	}
	if host != "" && !isHost(host) {
		return fmt.Sprintf("%q is no host", host)
	}
	return ""
}

// hosts takes names and addresses without scheme and port.
func (d *decoder) hosts(dst *[]string) func(value) {
	return func(v value) {
		items, _ := d.items(v, "for example [jobs.example.org]")
		for _, item := range items {
			host, ok := d.text(item, "text", "")
			if !ok {
				continue
			}
			if !isHost(host) {
				d.fault(item, fmt.Sprintf("%q is no host name", host), "the name alone, without scheme, port and *")
				continue
			}
			*dst = append(*dst, strings.ToLower(host))
		}
	}
}

// loopback reports whether only this machine can reach the address.
func loopback(listen string) bool {
	if listen == "" || strings.HasPrefix(listen, "unix:") {
		return true
	}
	host, _, _ := net.SplitHostPort(listen)
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
