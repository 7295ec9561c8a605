package schedule

// SpecOf is what is stored of a schedule's times.
var SpecOf = specOf
