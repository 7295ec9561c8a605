// Package metrics counts what Prometheus is to know of the jobs, and gives it in
// the forms that Prometheus reads.
//
// What is counted from the beginning, such as ends, is counted from the queue's
// events as they come, whether or not anybody asks; it begins at 0 with each
// daemon, as counters do there, and nothing of it is stored. What is so at the
// moment, such as how many jobs wait, is asked of the queue when somebody asks. It
// changes nothing, and does not know how it is asked: that is a route of the page.
package metrics
