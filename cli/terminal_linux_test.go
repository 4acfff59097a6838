package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openTerminal returns the two ends of a terminal of so many columns: what a user sees, and what a
// program writes to.
func openTerminal(t *testing.T, columns uint16) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		t.Skipf("no terminal can be made here: %v", err)
	}
	require.NoError(t, err)
	control := func(request uintptr, value unsafe.Pointer) {
		t.Helper()
		_, _, failure := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), request, uintptr(value))
		require.Zero(t, failure)
	}
	var locked, number int32
	control(syscall.TIOCSPTLCK, unsafe.Pointer(&locked))
	control(syscall.TIOCGPTN, unsafe.Pointer(&number))
	size := [4]uint16{24, columns}
	control(syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	return screen, terminal
}

// TestTableOnATerminal: it has as many columns as fit, and all of them in a pipe.
func TestTableOnATerminal(t *testing.T) {
	data, out := dataFolder(t), filepath.Join(t.TempDir(), "out")
	config := newFakes().config()
	pipe := call(t.Context(), config, tiny(data, out, "--methods", "template", "-q")...)
	require.Zero(t, pipe.status)
	require.NotContains(t, pipe.stdout, "left out")

	screen, terminal := openTerminal(t, 50)
	shown := make(chan string)
	go func() {
		text, _ := io.ReadAll(screen) // it ends with an error
		shown <- string(text)
	}()
	status := Main(t.Context(), []string{"report", out}, nil, terminal, io.Discard, config)
	require.NoError(t, terminal.Close())
	text := strings.ReplaceAll(<-shown, "\r\n", "\n")
	require.NoError(t, screen.Close())
	assert.Zero(t, status)
	assert.Contains(t, text, "left out  ")
	grid := strings.Split(text, "\n\n")[1]
	for line := range strings.Lines(grid) {
		assert.LessOrEqual(t, len([]rune(strings.TrimSpace(line))), 50, line)
	}
	assert.Greater(t, len([]rune(strings.Split(strings.Split(pipe.stdout, "\n\n")[1], "\n")[0])), 50)
}
