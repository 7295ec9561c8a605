package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"strings"

	"jobrunner/jobs"
)

func (d *decoder) args(t *jobs.Type) func(value) {
	dst := &t.Args
	return func(v value) {
		d.fields(v, fields{
			"params":  d.params(&t.Params),
			"min":     d.whole(&dst.Min, 0, math.MaxInt32),
			"max":     d.whole(&dst.Max, 0, math.MaxInt32),
			"pattern": d.pattern(&dst.Pattern),
		})
		if dst.Max >= 0 && dst.Min > dst.Max {
			d.faultOf(v, "min", fmt.Sprintf("min %d is more than max %d", dst.Min, dst.Max), "")
		}
	}
}

// pattern compiles the text by itself first, so that a fault is in its terms
// and no stray parenthesis can step out of the group that anchors it.
func (d *decoder) pattern(dst **regexp.Regexp) func(value) {
	return func(v value) {
		text, ok := d.text(v, "text", "put it in quotes, for example '[0-9]+'")
		if !ok {
			return
		}
		if _, ok := d.regexp(v, text); ok {
			*dst, _ = d.regexp(v, "^(?:"+text+")$")
		}
	}
}

// regexp compiles an expression. A fault tells where in it something is wrong.
func (d *decoder) regexp(v value, text string) (*regexp.Regexp, bool) {
	re, err := regexp.Compile(text)
	if err == nil {
		return re, true
	}
	message, hint := err.Error(), ""
	var bad *syntax.Error
	if errors.As(err, &bad) {
		message = fmt.Sprintf("%s: %q", bad.Code, bad.Expr)
		if i := strings.Index(text, bad.Expr); i >= 0 {
			message += fmt.Sprintf(" at character %d", 1+len([]rune(text[:i])))
		}
		if bad.Code == syntax.ErrInvalidPerlOp || bad.Code == syntax.ErrInvalidEscape {
			hint = "the syntax is RE2's, see go.dev/s/re2syntax"
		}
	}
	d.fault(v, message, hint)
	return nil, false
}
