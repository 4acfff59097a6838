package synthetic

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/koopbench/koopbench/core"
)

const (
	recordingHeader = 128
	burstEvery      = 1000
	burstRows       = 16
)

// WriteRecording writes a .npy file of rows × columns float32. Every thousand rows begins a burst
// of 16: noise that moves by one column and decays from row to row. All else is zero and a hole in
// the file, which takes little of the disk.
func WriteRecording(path string, rows, columns int) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	shape := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, columns)
	if _, err := fmt.Fprintf(file, "\x93NUMPY\x01\x00\x76\x00%-117s\n", shape); err != nil {
		return err
	}
	row := 4 * int64(columns)
	if err := file.Truncate(recordingHeader + row*int64(rows)); err != nil {
		return err
	}
	random, values := core.NewStream(1, "recording"), make([]float64, columns)
	for from := 0; from+burstRows <= rows; from += burstEvery {
		var burst []byte
		for j := range values {
			values[j] = random.NormFloat64()
		}
		for i := range burstRows {
			for j := range values {
				v := math.Pow(.8, float64(i)) * values[(i+j)%columns]
				burst = binary.LittleEndian.AppendUint32(burst, math.Float32bits(float32(v)))
			}
		}
		if _, err := file.WriteAt(burst, recordingHeader+row*int64(from)); err != nil {
			return err
		}
	}
	return nil
}
