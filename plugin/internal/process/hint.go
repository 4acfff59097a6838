package process

import (
	"bufio"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// cannotStart says why the executable was not run, and what to do.
func cannotStart(path string, err error) error {
	s := readStart(path)
	switch {
	case s.windows:
		return fmt.Errorf("%s cannot be run: %s", path, windowsWords(path))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be run: %w; make it executable: chmod +x %s", path, err, path)
	case s.interpreter != "":
		if _, err := os.Stat(s.interpreter); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s cannot be run: its first line names the interpreter %s, which does not exist; "+
				"install it, or name another", path, s.interpreter)
		}
	case s.foreign != "":
		return fmt.Errorf("%s cannot be run here: it is a program for %s, and this is %s/%s; build it for this machine",
			path, s.foreign, runtime.GOOS, runtime.GOARCH)
	case s.text:
		return fmt.Errorf("%s cannot be run: it is not a program, and not a script, because its first line does not begin "+
			"with #!; "+
			"a script in Python begins with: #!/usr/bin/env python3", path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s cannot be run: the file, or the loader that it was built for, does not exist; build it "+
			"for this system", path)
	}
	return fmt.Errorf("%s cannot be run: %w", path, err)
}

// startHint says what to do about a plugin that has ended before its handshake, "" if that is not
// known. words are the cause.
func startHint(path string, status int, words string) string {
	const (
		absent = 127 // of a shell or env that does not find what it is to start
		module = "ModuleNotFoundError: "
	)
	s := readStart(path)
	switch {
	case s.windows:
		return "; " + windowsWords(path)
	case strings.HasPrefix(words, module):
		return "; " + s.python() + " lacks it: install it there, or have the first line of the file start the Python of " +
			"your environment"
	case status == absent && s.command == "uv" && !onPath(s.command):
		return "; its first line starts uv, which is not on PATH: install uv (for example with pip install uv), or start " +
			"the plugin without it, with the Python of a virtual environment"
	case status == absent && s.command != "" && !onPath(s.command):
		return fmt.Sprintf("; its first line names %s, which is not on PATH: install it, or name the path of another",
			s.command)
	case status == absent:
		return "; a program that it starts does not exist"
	case status == 0:
		return "; its main function must call Serve, which does not return"
	}
	return ""
}

func windowsWords(path string) string {
	return "its first line has a Windows line end, which becomes part of the name of the interpreter; " +
		`convert the file: sed -i 's/\r$//' ` + path
}

// start is what the beginning of a file tells.
type start struct {
	interpreter string // of a script, its path
	command     string // that an interpreter env looks for
	windows     bool   // the first line of a script ends with \r
	foreign     string // for what a program is, if it is not for this machine
	text        bool   // neither a program nor a script
}

// readStart reads the beginning of a file. It tells nothing of a file that cannot be read.
func readStart(path string) start {
	file, err := os.Open(path)
	if err != nil {
		return start{}
	}
	defer file.Close()
	beginning, err := bufio.NewReader(io.LimitReader(file, 1<<10)).ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return start{}
	}
	switch {
	case bytes.HasPrefix(beginning, []byte("#!")):
		return readFirstLine(string(beginning[2:]))
	case bytes.HasPrefix(beginning, []byte(elf.ELFMAG)):
		return start{foreign: foreignELF(file)}
	case bytes.HasPrefix(beginning, []byte("MZ")):
		return start{foreign: "Windows"}
	case bytes.HasPrefix(beginning, []byte("\xcf\xfa\xed\xfe")), bytes.HasPrefix(beginning, []byte("\xca\xfe\xba\xbe")):
		if runtime.GOOS != "darwin" {
			return start{foreign: "macOS"}
		}
		return start{foreign: "another processor"}
	}
	return start{text: true}
}

func readFirstLine(line string) start {
	line = strings.TrimSuffix(line, "\n")
	s := start{windows: strings.HasSuffix(line, "\r")}
	words := strings.Fields(line)
	if len(words) == 0 {
		return s
	}
	s.interpreter = words[0]
	if strings.HasSuffix(s.interpreter, "/env") {
		for _, word := range words[1:] {
			if !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") {
				s.command = word
				break
			}
		}
	}
	return s
}

// foreignELF says for what a program is, "" for this machine.
func foreignELF(file io.ReaderAt) string {
	// e_machine, which has its place in every such file, whatever else is wrong with it.
	header := make([]byte, 20)
	if _, err := file.ReadAt(header, 0); err != nil {
		return "an unknown machine"
	}
	machine := elf.Machine(uint16(header[18]) | uint16(header[19])<<8)
	if header[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
		machine = elf.Machine(uint16(header[19]) | uint16(header[18])<<8)
	}
	here := map[string]elf.Machine{
		"386": elf.EM_386, "amd64": elf.EM_X86_64, "arm": elf.EM_ARM, "arm64": elf.EM_AARCH64, "loong64": elf.EM_LOONGARCH,
		"ppc64": elf.EM_PPC64, "ppc64le": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
	}[runtime.GOARCH]
	if runtime.GOOS == "linux" && machine == here {
		return ""
	}
	return "the processor " + strings.TrimPrefix(machine.String(), "EM_") + " (ELF)"
}

// python names the Python that a script is started with.
func (s start) python() string {
	found, err := exec.LookPath(s.command)
	switch {
	case s.command != "" && err == nil:
		return found
	case strings.Contains(s.interpreter, "python"):
		return s.interpreter
	}
	return "the Python that it is started with"
}

func onPath(command string) bool {
	_, err := exec.LookPath(command)
	return err == nil
}
