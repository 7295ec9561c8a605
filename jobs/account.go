package jobs

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"
)

// Account is a user of this machine that jobs are run as, with the groups that
// they are in.
type Account struct {
	Word   string   `json:"word"` // as it is configured: "ada" or "ada:staff"
	Name   string   `json:"name"`
	Home   string   `json:"home"`
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups,omitempty"` // all that the user is a member of
}

// FindAccount looks up "user" or "user:group". Without a group it is the user's
// own. The error is worded for people.
func FindAccount(word string) (*Account, error) {
	name, group, grouped := strings.Cut(word, ":")
	u, err := user.Lookup(name)
	var unknown user.UnknownUserError
	switch {
	case errors.As(err, &unknown):
		return nil, fmt.Errorf("user %s does not exist", shown(name))
	case err != nil:
		return nil, fmt.Errorf("looking up user %s: %w", shown(name), err)
	}
	gid := u.Gid
	if grouped {
		g, err := user.LookupGroup(group)
		var unknown user.UnknownGroupError
		switch {
		case errors.As(err, &unknown):
			return nil, fmt.Errorf("group %s does not exist", shown(group))
		case err != nil:
			return nil, fmt.Errorf("looking up group %s: %w", shown(group), err)
		}
		gid = g.Gid
	}
	members, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("looking up the groups of user %s: %w", shown(name), err)
	}
	a := &Account{Word: word, Name: u.Username, Home: u.HomeDir}
	ids, err := accountNumbers(append([]string{u.Uid, gid}, members...))
	if err != nil {
		return nil, fmt.Errorf("looking up user %s: %w", shown(name), err)
	}
	a.UID, a.GID, a.Groups = ids[0], ids[1], ids[2:]
	return a, nil
}

// accountNumbers reads ids. The largest one means "leave it as it is" to the
// system, so that nobody may bear it.
func accountNumbers(words []string) ([]uint32, error) {
	const leave = 1<<32 - 1
	ids := make([]uint32, len(words))
	for i, word := range words {
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil || n == leave {
			return nil, fmt.Errorf("%s is no number of a user or group", shown(word))
		}
		ids[i] = uint32(n)
	}
	return ids, nil
}

// Ways to use a file or folder, for Account.May. They are those of access(2).
const (
	ToExecute uint32 = 1 // of a folder: to go through it
	ToRead    uint32 = 4
)
