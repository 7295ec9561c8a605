package jobs

// OnStep is called at every Step. Tests that kill a process, or stop it, at a
// certain moment set it before anything else runs; nothing else ever does.
var OnStep func(name string)

// Step marks a moment between two steps of a change at which a crash leaves
// something half done. name says what has just been done, after the part that
// does it: "inbox: claimed". It costs nothing while OnStep is not set.
func Step(name string) {
	if OnStep != nil {
		OnStep(name)
	}
}
