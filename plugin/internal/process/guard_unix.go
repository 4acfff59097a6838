//go:build unix

package process

import (
	"io"
	"os/exec"
	"strconv"
	"syscall"
)

// guard is a small process that outlives this program, if that is killed, for long enough to end a
// plugin which takes no notice.
type guard struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

// guardScript waits for a line, which says that the plugin has ended, or for the end of its input,
// which comes when this program has been killed. A plugin sees the latter itself, and has a second
// to end. Then all of its group are killed, and on Linux those processes that have left the group,
// which the name of the private folder in their environment tells.
const guardScript = `read -r line && exit
sleep 1
kill -KILL -- -"$1"
for e in /proc/[0-9]*/environ; do
	if grep -q -F "=$2/" "$e"; then
		p=${e%/environ}
		kill -KILL "${p#/proc/}"
	fi
done`

// newGuard starts the guard of a process group and of a plugin's private folder. Where there is no
// shell, there is no guard.
func newGuard(group int, folder string) *guard {
	cmd := exec.Command("/bin/sh", "-c", guardScript, "sh", strconv.Itoa(group), folder)
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C is not for it
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil
	}
	if err := cmd.Start(); err != nil {
		return nil
	}
	return &guard{cmd, stdin}
}

// stop ends the guard of a plugin that has ended.
func (g *guard) stop() {
	if g == nil {
		return
	}
	_, _ = io.WriteString(g.stdin, "\n")
	_ = g.cmd.Wait()
}
