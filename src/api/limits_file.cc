#include "api/limits_file.h"

#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <yaml-cpp/yaml.h>

namespace brigade::api {
namespace {

using base::Error;
using base::Tokens;
using bucket::LimitSpec;
using bucket::Permille;

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && !text.empty();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// "30s", "1.5h", "s": a length of time; a missing number is one.
std::optional<double> seconds(std::string_view text) {
  static const std::map<std::string_view, double> kUnits{
      {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}};
  const std::size_t unit = text.find_first_not_of("0123456789.");
  const auto scale =
      kUnits.find(unit == std::string_view::npos ? std::string_view() : text.substr(unit));
  if (scale == kUnits.end()) {
    return std::nullopt;
  }
  const auto count = unit == 0 ? std::optional(1.0) : number(text.substr(0, unit));
  return count ? std::optional(*count * scale->second) : std::nullopt;
}

std::optional<Tokens> tokens(std::string_view text) {
  const auto value = number(text);
  constexpr double kMost = static_cast<double>(Tokens::kMaxMicro) / Tokens::kMicro;
  if (!value || *value < 0 || *value > kMost) {
    return std::nullopt;
  }
  return Tokens::micro(std::llround(*value * Tokens::kMicro));
}

// Reads one limit; the first thing that is wrong is kept.
class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  using Field = std::function<void(const YAML::Node&)>;
  using Fields = std::map<std::string, Field>;

  void fail(const YAML::Node& at, const std::string& what) {
    if (!error_) {
      error_ = Error{source_ + ":" + std::to_string(at.Mark().line + 1) + ": " + what};
    }
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  void map(const YAML::Node& node, const std::string& what, const Fields& fields) {
    if (!node.IsMap()) {
      fail(node, what + ": expected a mapping");
      return;
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      const auto field = fields.find(key);
      if (field == fields.end()) {
        std::string known;
        for (const auto& [name, reader] : fields) {
          known += (known.empty() ? "" : ", ") + name;
        }
        fail(entry.first, what + ": unknown key '" + key + "'; expected one of " + known);
      } else if (!seen.insert(key).second) {
        fail(entry.first, what + ": '" + key + "' is given twice");
      } else {
        field->second(entry.second);
      }
    }
  }

  std::string text(const YAML::Node& node, const char* expected) {
    if (!node.IsScalar()) {
      fail(node, std::string("expected ") + expected);
      return {};
    }
    return node.Scalar();
  }
  Field amount(Tokens& out) {
    return [this, &out](const YAML::Node& node) {
      const auto value = tokens(text(node, "a number of tokens"));
      value ? out = *value : (fail(node, "expected a number of tokens >= 0"), Tokens{});
    };
  }
  Field fraction(Permille& out) {
    return [this, &out](const YAML::Node& node) {
      const auto value = number(text(node, "a number"));
      if (!value || *value < 0 || *value > 1000) {
        fail(node, "expected a number such as 0.85");
      } else {
        out = static_cast<Permille>(std::lround(*value * 1000));
      }
    };
  }
  Field flag(bool& out) {
    return [this, &out](const YAML::Node& node) {
      const std::string value = text(node, "true or false");
      if (value != "true" && value != "false") {
        fail(node, "expected true or false");
      }
      out = value == "true";
    };
  }
  Field duration(base::Duration& out) {
    return [this, &out](const YAML::Node& node) {
      const auto value = seconds(text(node, "a duration"));
      if (!value || *value > 1e6) {
        fail(node, "expected a duration such as 200ms or 5s");
      } else {
        out = base::Duration(std::llround(*value * 1e9));
      }
    };
  }
  template <class T>
  Field choice(T& out, std::map<std::string, T> choices) {
    return [this, &out, choices = std::move(choices)](const YAML::Node& node) {
      const auto found = choices.find(text(node, "a word"));
      if (found == choices.end()) {
        std::string known;
        for (const auto& [name, value] : choices) {
          known += (known.empty() ? "" : " or ") + name;
        }
        fail(node, "expected " + known);
      } else {
        out = found->second;
      }
    };
  }
  template <class T>
  Field count(T& out, std::int64_t least, std::int64_t most) {
    return [this, &out, least, most](const YAML::Node& node) {
      const auto value = number(text(node, "a whole number"));
      if (!value || *value != std::floor(*value) || *value < static_cast<double>(least) ||
          *value > static_cast<double>(most)) {
        fail(node, "expected a whole number from " + std::to_string(least) + " to " +
                       std::to_string(most));
      } else {
        out = static_cast<T>(*value);
      }
    };
  }

 private:
  const std::string& source_;
  std::optional<Error> error_;
};

Reader::Field priorities(Reader& reader, LimitSpec& spec) {
  return [&](const YAML::Node& node) {
    if (!node.IsMap()) {
      reader.fail(node, "priorities: expected class: fraction");
      return;
    }
    for (const auto& entry : node) {
      bucket::PrioritySpec one{.name = reader.text(entry.first, "a class")};
      reader.fraction(one.reserved)(entry.second);
      spec.priorities.push_back(std::move(one));
    }
  };
}

LimitSpec read_one(Reader& reader, const YAML::Node& node) {
  LimitSpec spec;
  bool has_rate = false;
  bool has_burst = false;
  const Reader::Fields bucket{{"min", reader.amount(spec.sizing.min)},
                              {"max", reader.amount(spec.sizing.max)},
                              {"threshold_high", reader.fraction(spec.sizing.threshold_high)},
                              {"threshold_low", reader.fraction(spec.sizing.threshold_low)},
                              {"growth", reader.fraction(spec.sizing.growth)},
                              {"shrink", reader.fraction(spec.sizing.shrink)}};
  const Reader::Fields lend{{"enabled", reader.flag(spec.lend.enabled)},
                            {"max_share", reader.fraction(spec.lend.max_share)},
                            {"reserve", reader.amount(spec.lend.reserve)}};
  const Reader::Fields queue{{"max_wait", reader.duration(spec.queue.max_wait)},
                             {"max_waiting", reader.count(spec.queue.max_waiting, 1, 1'000'000)}};
  const auto nested = [&](const char* name, const Reader::Fields& fields) {
    return [&reader, name, &fields](const YAML::Node& inner) { reader.map(inner, name, fields); };
  };
  const auto rate = [&](const YAML::Node& inner) {
    const auto value = read_rate(reader.text(inner, "a rate"));
    if (!value) {
      reader.fail(inner, value.error().message);
      return;
    }
    spec.rate = *value;
    has_rate = true;
  };
  const auto burst = [&](const YAML::Node& inner) {
    reader.amount(spec.burst)(inner);
    has_burst = true;
  };
  reader.map(
      node, "limit",
      {{"name", [&](const YAML::Node& inner) { spec.name = reader.text(inner, "a name"); }},
       {"rate", rate},
       {"burst", burst},
       {"per", reader.choice(spec.per_key, {{"key", true}})},
       {"mode", reader.choice(spec.mode, {{"shared", bucket::Mode::kShared},
                                          {"strict", bucket::Mode::kStrict}})},
       {"bucket", nested("bucket", bucket)},
       {"lend", nested("lend", lend)},
       {"fairness", reader.choice(spec.fairness, {{"proportional", bucket::Fairness::kProportional},
                                                  {"maxmin", bucket::Fairness::kMaxMin},
                                                  {"karma", bucket::Fairness::kKarma}})},
       {"priorities", priorities(reader, spec)},
       {"queue", nested("queue", queue)},
       {"on_isolated", reader.choice(spec.on_isolated, {{"deny", bucket::OnIsolated::kDeny},
                                                        {"keep", bucket::OnIsolated::kKeep}})},
       {"shadow", reader.flag(spec.shadow)},
       {"max_keys", reader.count(spec.max_keys, 1, 1'000'000'000)}});
  if (!has_rate || !has_burst || spec.name.empty()) {
    reader.fail(node, "a limit needs name, rate and burst");
  }
  return spec;
}

base::Result<std::vector<LimitSpec>> read_all(const YAML::Node& root, const std::string& source) {
  Reader reader(source);
  std::vector<LimitSpec> specs;
  std::set<std::string> names;
  const auto limits = [&](const YAML::Node& list) {
    if (!list.IsSequence()) {
      reader.fail(list, "limits: expected a list");
      return;
    }
    for (const YAML::Node& node : list) {
      LimitSpec spec = read_one(reader, node);
      if (!names.insert(spec.name).second) {
        reader.fail(node, "two limits are named " + spec.name);
      }
      if (reader.error()) {
        return;
      }
      if (const auto status = bucket::validate(spec); !status) {
        reader.fail(node, spec.name + ": " + status.error().message);
      }
      specs.push_back(std::move(spec));
    }
  };
  reader.map(root, "file", {{"limits", limits}});
  if (reader.error()) {
    return *reader.error();
  }
  return specs;
}

}  // namespace

base::Result<base::Rate> read_rate(std::string_view text) {
  const Error expected{"expected a rate such as 1000/s, 600/m or 90/30s"};
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return expected;
  }
  const auto amount = tokens(text.substr(0, slash));
  const auto period = seconds(text.substr(slash + 1));
  if (!amount || !period || *amount <= Tokens{} || *period < 1e-3 || *period > 1e9) {
    return expected;
  }
  return base::Rate::of(*amount, base::Duration(std::llround(*period * 1e9)));
}

base::Result<std::vector<LimitSpec>> read_limits(std::string_view text, const std::string& source) {
  // The one place where yaml-cpp's exceptions end.
  try {
    return read_all(YAML::Load(std::string(text)), source);
  } catch (const YAML::Exception& error) {
    return Error{source + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg};
  }
}

}  // namespace brigade::api
