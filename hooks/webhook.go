package hooks

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"jobrunner/jobs"
)

const (
	postTimeout   = 10 * time.Second // where a hook has none
	mostRedirects = 5
	mostAnswer    = 64 << 10 // bytes of an answer that are read, so that the connection can be used again
)

// newClient makes a client with connections of its own, through the proxies
// that the environment names.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = mostAtOnce
	transport.IdleConnTimeout = 30 * time.Second
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect}
}

// redirectError is a redirection that is not followed.
type redirectError struct{ words string }

func (e *redirectError) Error() string { return e.words }

// checkRedirect follows a redirection only if the same POST goes on by the same
// scheme.
func checkRedirect(next *http.Request, before []*http.Request) error {
	switch from := before[0].URL.Scheme; {
	case next.URL.Scheme != from:
		return &redirectError{fmt.Sprintf("is redirected from %s to %s: set the new address", from, next.URL.Scheme)}
	case next.Method != http.MethodPost:
		return &redirectError{"is redirected in a way that loses the content: set the new address"}
	case len(before) > mostRedirects:
		return &redirectError{fmt.Sprintf("is redirected more than %d times", mostRedirects)}
	}
	return nil
}

// post calls a webhook once.
func (f *follower) post(work context.Context, h *bound, d *delivery) *failure {
	ctx, cancel := context.WithTimeout(work, cmp.Or(h.Timeout, postTimeout))
	defer cancel()
	r, err := request(ctx, h, d)
	if err != nil {
		return &failure{words: jobs.Sanitize(err.Error()), again: true}
	}
	answer, err := f.client.Do(r)
	if err != nil {
		return postFailure(ctx, h, err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, mostAnswer)
	if answer.StatusCode/100 == 2 {
		return nil
	}
	busy := answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500
	return &failure{words: "status " + strconv.Itoa(answer.StatusCode), again: busy, after: retryAfter(answer.Header)}
}

func request(ctx context.Context, h *bound, d *delivery) (*http.Request, error) {
	key, err := h.Key()
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(d.body))
	if err != nil {
		return nil, errors.New("its address cannot be read")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "jobrunner")
	r.Header.Set("X-Jobrunner-Event", d.kind)
	r.Header.Set("X-Jobrunner-Delivery", d.number())
	if key != "" {
		r.Header.Set("X-Jobrunner-Signature", "sha256="+sign(d.body, key))
	}
	return r, nil
}

func sign(body []byte, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// postFailure words an error of the client without the address, which may hold
// a secret.
func postFailure(ctx context.Context, h *bound, err error) *failure {
	var redirect *redirectError
	if errors.As(err, &redirect) {
		return &failure{words: redirect.words}
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &failure{words: "no answer within " + cmp.Or(h.Timeout, postTimeout).String(), again: true}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the connection was closed without an answer")
	}
	return &failure{words: jobs.Sanitize(err.Error()), again: true}
}

// retryAfter is how long the other side asks to wait; 0 if it does not.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), int(mostPause/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
