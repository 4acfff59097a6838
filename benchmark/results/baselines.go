package results

// StoredBaselines are the baselines of a task and its judge: the content of baselines.json, which is
// the same for all commands and shards.
type StoredBaselines struct {
	Key       string     `json:"key"` // of the oracle, or of the task if there is none
	Baselines []Baseline `json:"baselines"`
}

// BaselinesFile is the name of the file of the baselines.
const BaselinesFile = "baselines.json"

// BaselineKey names what determines the baselines.
func (r *Results) BaselineKey() string {
	task := r.Task
	task.Source, task.Plugin = "", task.Plugin.SameCode()
	return hashJSON(struct {
		Oracle string
		Task   TaskInfo
	}{r.Oracle.Key, task})
}

// Baselines reads baselines.json, if it is that of the results.
func (s *Store) Baselines(r *Results) ([]Baseline, bool) {
	var stored StoredBaselines
	err := s.readJSON(BaselinesFile, &stored, nil)
	return stored.Baselines, err == nil && stored.Key == r.BaselineKey() && checkBaselines(stored.Baselines, r.Task) == nil
}

// WriteBaselines writes baselines.json.
func (s *Store) WriteBaselines(r *Results, all []Baseline) error {
	return s.writeJSON(s.Path(BaselinesFile), StoredBaselines{r.BaselineKey(), all})
}
