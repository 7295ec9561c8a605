package main

import (
	"fmt"

	"jobrunner/access"
	"jobrunner/config"
)

// openAccess takes in who may see the page, and refuses to begin with a file of
// passwords, or a certificate, that is of no use.
func (d *daemon) openAccess() error {
	if d.first.Listen == "" {
		return nil
	}
	if err := checkAccess(d.first); err != nil {
		return err
	}
	d.door = access.NewDoor(access.Options{
		PasswordFile: func() string { return d.access.Load().PasswordFile }, Log: d.log,
	})
	d.pair = access.NewCertificates(func() (cert, key string) {
		tls := d.access.Load().TLS
		return tls.Cert, tls.Key
	}, d.log)
	return nil
}

// follow puts password_file and tls of a changed configuration in force. If it has
// another listen they are meant for that, which waits for the next start: where the
// page is now, it must not lose its password.
func (d *daemon) follow(next *config.Config) {
	if next.Listen == d.first.Listen {
		d.access.Store(next)
	}
}

// accessProblems says what is wrong with the files that decide who may see the page.
func (d *daemon) accessProblems() (words []string) {
	if d.door == nil {
		return nil
	}
	for _, problem := range []string{d.door.Problem(), d.pair.Problem()} {
		if problem != "" {
			words = append(words, problem)
		}
	}
	return words
}

// checkAccess says why the files that decide who may see the page are of no use.
func checkAccess(c *config.Config) error {
	if c.PasswordFile != "" {
		if faults := access.Check(c.PasswordFile); len(faults) > 0 {
			return fmt.Errorf("password_file: %w", faults[0])
		}
	}
	if c.TLS.Cert != "" {
		if _, err := access.CheckCertificate(c.TLS.Cert, c.TLS.Key); err != nil {
			return fmt.Errorf("tls: %w", err)
		}
	}
	return nil
}

// noteAccess says all that is wrong with these files, and what is worth a word;
// false if something is wrong.
func (a *app) noteAccess(c *config.Config) bool {
	fine := true
	if c.PasswordFile != "" {
		for _, fault := range access.Check(c.PasswordFile) {
			a.note("password_file: %s", fault.Error())
			fine = false
		}
	}
	if c.TLS.Cert == "" {
		return fine
	}
	warning, err := access.CheckCertificate(c.TLS.Cert, c.TLS.Key)
	switch {
	case err != nil:
		a.note("tls: %s", err)
		fine = false
	case warning != "":
		a.note("warning: %s", warning)
	}
	return fine
}
