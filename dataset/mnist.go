package dataset

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
)

//go:embed mnist/*.gz
var embedded embed.FS

// mnistSHA256 has the SHA-256 sums of the embedded files.
var mnistSHA256 = [...]struct{ name, sum string }{
	{"train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"},
	{"train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"},
	{"t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"},
	{"t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"},
}

// MNIST returns the set inside the program: 60000 training and 10000 test images of 28×28
// handwritten digits, from LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
// document recognition", Proc. IEEE 86(11), 1998. Their licence is CC BY-SA 3.0
// (dataset/mnist/LICENSE.md).
//
// Every call checks the SHA-256 sums of the files. The error is [ErrFormat] if the program file is
// damaged.
func MNIST() (*Set, error) {
	folder, err := fs.Sub(embedded, "mnist")
	if err != nil {
		return nil, err
	}
	if err := checkMNIST(folder); err != nil {
		return nil, err
	}
	return newSet(folder, "MNIST (embedded)")
}

func checkMNIST(folder fs.FS) error {
	for _, want := range mnistSHA256 {
		sum, err := fileSHA256(folder, want.name)
		if err != nil {
			return err
		}
		if sum != want.sum {
			return fmt.Errorf(
				"%w: the embedded %s has the SHA-256 %s, not %s; this program is damaged and must be built or installed again",
				ErrFormat, want.name, sum, want.sum)
		}
	}
	return nil
}

func fileSHA256(folder fs.FS, name string) (string, error) {
	file, err := folder.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
