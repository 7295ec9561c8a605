package watcher

import "time"

// Settings are what the configuration says about taking requests. They are
// asked for anew at every look, so that a changed file is taken up.
type Settings struct {
	PollInterval   time.Duration // everything is looked through this often, whatever the events say
	Settle         time.Duration // a file written in place must have stood still this long
	SettleBad      time.Duration // one that does not parse has this long to change
	MaxRequestSize int64         // bytes of a request file
	QueueKeep      int           // finished lines kept in the queue file
}
