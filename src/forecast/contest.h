// The online choice: models compete in a running backtest, and one is believed only while it beats
// naive persistence by a margin. Until then, and whenever it stops doing so, persistence speaks.
//
// Deterministic. Threads: single-threaded. Source: semantics 7; algorithms 2.11.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "forecast/predictor.h"
#include "forecast/rehearsal.h"

namespace brigade::forecast {

struct ContestRules {
  int horizon = 1;       // steps ahead that are judged
  double margin = 0.05;  // how much less loss than persistence, and than who is believed now
  std::uint64_t trial_min = 50;  // judged forecasts before anybody is believed
};

using Field = std::vector<std::unique_ptr<Predictor>>;

// Models for a series without a known season: cheap enough for every node of every limit.
Field quick_field();
// These, and the seasonal ones. Requires: 1 <= season <= Season::kSeasonMax.
Field seasonal_field(std::size_t season);

class Contest {
 public:
  // Persistence always competes; `challengers` besides.
  Contest(Field challengers, ContestRules rules);

  // Requires: finite, >= 0.
  void observe(double sample);
  // Of the model that is believed now, at the horizon.
  [[nodiscard]] const Forecast& forecast() const { return believed().forecast(); }
  [[nodiscard]] const Rehearsal& believed() const { return trials_[believed_]; }
  [[nodiscard]] bool naive() const { return believed_ == 0; }

  // Persistence first.
  [[nodiscard]] const std::vector<Rehearsal>& trials() const { return trials_; }
  // Of the choice itself: what was believed when it was believed.
  [[nodiscard]] const Score& score() const { return score_; }

 private:
  void choose();

  ContestRules rules_;
  std::vector<Rehearsal> trials_;
  std::size_t believed_ = 0;
  Outstanding outstanding_;
  Score score_;
};

}  // namespace brigade::forecast
