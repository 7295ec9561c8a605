package access

const openNonblocking = 0
