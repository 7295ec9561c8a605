package meter

// mostOpen bounds the logs that are open between two looks: none, since a file
// that is open can be neither renamed nor removed.
const mostOpen = 0
