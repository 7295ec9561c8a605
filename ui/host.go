package ui

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// hostPolicy decides which Host names are answered. A page of another site can
// make its own name point at 127.0.0.1 (DNS rebinding) and then read whatever
// answers there; it cannot choose a Host that is not its own name.
//
// Through a unix socket no browser comes by itself, only a proxy or a tool: an
// empty Host and the loopback names are answered, any other name that a proxy
// passes on has to be in allowed_hosts, as over TCP.
type hostPolicy struct {
	listen   string // host part of the listen address, lower case; "" if it has none
	loopback bool   // the listen address cannot be reached from other machines
	unix     bool
	allowed  func() []string
}

func newHostPolicy(listen string, allowed func() []string) hostPolicy {
	if strings.HasPrefix(listen, unixPrefix) {
		return hostPolicy{loopback: true, unix: true, allowed: allowed}
	}
	name := hostName(listen)
	return hostPolicy{listen: name, loopback: isLoopback(name), allowed: allowed}
}

// answers reports whether a request with that Host is answered.
func (p hostPolicy) answers(host string) bool {
	name := hostName(host)
	switch {
	case name == "":
		return p.unix
	case name == p.listen, isLoopback(name):
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil && !p.loopback {
		return true // an IP literal cannot be rebound
	}
	for _, a := range p.allowed() {
		if hostName(a) == name {
			return true
		}
	}
	return false
}

// guard answers requests for other names with 421 and how to allow them. What
// asks after the daemon's health knows only its address, and may use any.
func (p hostPolicy) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isHealth(r) && !p.answers(r.Host) {
			fail(w, r, http.StatusMisdirectedRequest, fmt.Sprintf(
				"this page does not answer to the name %q; if it should, add it to allowed_hosts in jobrunner.yaml",
				clean(hostName(r.Host), 200)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName gives the name or literal in "name:port", "[::1]:port" or without a
// port, in lower case and without a final dot.
func hostName(host string) string {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		name = host[1 : len(host)-1]
	}
	return strings.TrimSuffix(strings.ToLower(name), ".")
}

func isLoopback(name string) bool {
	if name == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.Unmap().IsLoopback()
}
