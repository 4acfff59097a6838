package benchmark

// Store is a folder of results:
//
//	results.json       Results, all of it
//	results.csv        one row a method × seed × step
//	data.npz           sample, sample_labels: the first snapshots of the sequence and their states;
//	                   test_images, test_labels: the ten test snapshots that roll-outs show, the states of all test snapshots
//	oracle.json        OracleInfo
//	runs/KEY.json      RunResult
//	runs/KEY.npz       rollout [step, 10, shape…] float32: the predictions from the ten test snapshots;
//	                   labels [step, test] int64; left_eigenfunctions [test, r] complex128, where the model has them
//	figures/           what `bench report` draws
//
// Every file is written whole under another name, synced and renamed: a reader never sees half a file.
type Store struct{ dir string }

// OpenStore returns the store in a folder, which need not exist.
func OpenStore(dir string) *Store { return &Store{dir} }

// RolloutSnapshots is the number of test snapshots whose predicted images are kept: the first ones of the test sequence.
const RolloutSnapshots = 10

// SampleRows is the number of cycles through the states that the kept sample of the sequence shows.
const SampleRows = 2
