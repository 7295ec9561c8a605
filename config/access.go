package config

import (
	"os"
	"strings"

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

// tls reads the certificate of the page.
func (d *decoder) tls(dst *TLSConfig) func(value) {
	return func(v value) {
		d.fields(v, fields{"cert": d.filePath(&dst.Cert), "key": d.filePath(&dst.Key)})
		if v.node.Kind != yaml.MappingNode {
			return
		}
		const hint = "write it as {cert: page.crt, key: page.key}"
		for _, name := range []string{"cert", "key"} {
			if !d.has(v.under(name)) {
				d.faultUnder(v, name, "is missing", hint)
			}
		}
	}
}

// publicFaults says what is missing when others than this machine can reach the
// page.
func (c *Config) publicFaults() Faults {
	var faults Faults
	if c.TLS.Cert != "" && strings.HasPrefix(c.Listen, "unix:") {
		faults = append(faults, c.fault("tls", "does not go with a socket", "let the proxy before it speak TLS"))
	}
	if loopback(c.Listen) {
		return faults
	}
	add := func(message, hint string) {
		faults = append(faults, c.fault("listen", c.Listen+" is not loopback: "+message, hint))
	}
	if len(c.AllowedHosts) == 0 {
		add("it needs allowed_hosts", "name the hosts that people type, for example allowed_hosts: [jobs.example.org]")
	}
	if c.PasswordFile == "" && !c.InsecurePublic {
		add("it needs a password_file, or insecure_public: true",
			"whoever reaches a page without a password can read every job; listen on 127.0.0.1 if that is not meant")
	}
	return faults
}

// accessWarnings says what gives others the passwords of the page, or its key.
func (c *Config) accessWarnings() []*jobs.Fault {
	var faults []*jobs.Fault
	for _, f := range []struct{ key, path string }{{"password_file", c.PasswordFile}, {"tls.key", c.TLS.Key}} {
		info, err := os.Stat(f.path)
		switch {
		case f.path == "" || err != nil:
		case othersMayWrite(info):
			faults = append(faults, c.fault(f.key, openToAll(f.path), "chmod o= it: whoever writes there can let anybody in"))
		case othersMayRead(info):
			faults = append(faults, c.fault(f.key, f.path+" can be read by everybody on this machine", "chmod o= it"))
		}
	}
	if c.PasswordFile != "" && c.TLS.Cert == "" && !loopback(c.Listen) {
		faults = append(faults, c.fault("password_file", "passwords travel in the clear, since "+c.Listen+" is not loopback and there is no tls",
			"set tls, or listen on 127.0.0.1 behind a proxy that speaks TLS"))
	}
	return faults
}
