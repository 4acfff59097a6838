package results

// StoredBaselines are the baselines of a task and its judge: the content of baselines.json. It is
// the same for all commands and shards.
type StoredBaselines struct {
	Key       string     `json:"key"` // of the oracle, or of the task if there is none
	Baselines []Baseline `json:"baselines"`
}

// StoredBaselines returns the baselines of the results.
func (r *Results) StoredBaselines() StoredBaselines {
	return StoredBaselines{r.baselineKey(), r.Baselines}
}

// baselineKey names what determines the baselines.
func (r *Results) baselineKey() string {
	task := r.Task
	task.Source, task.Plugin = "", task.Plugin.SameCode()
	return hashJSON(struct {
		Oracle string
		Task   TaskInfo
	}{r.Oracle.Key, task})
}

// Baselines reads baselines.json if it belongs to the results.
func (s *Store) Baselines(r *Results) ([]Baseline, bool) {
	var stored StoredBaselines
	err := s.readJSON(baselinesFile, &stored, nil)
	return stored.Baselines, err == nil && stored.Key == r.baselineKey() && checkBaselines(stored.Baselines, r.Task) == nil
}

// WriteBaselines writes baselines.json of the results.
func (s *Store) WriteBaselines(r *Results) error {
	return s.writeJSON(baselinesFile, r.StoredBaselines())
}
