#include "api/limits_file.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "api/yaml_error.h"
#include "base/number.h"
#include "base/spelling.h"

namespace brigade::api {
namespace {

using base::Error;
using base::Tokens;
using bucket::LimitSpec;
using bucket::Permille;

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
  const auto count = unit == 0 ? std::optional(1.0) : base::read_number(text.substr(0, unit));
  return count ? std::optional(*count * scale->second) : std::nullopt;
}

std::optional<Tokens> tokens(std::string_view text) {
  const auto value = base::read_number(text);
  constexpr double kMost = static_cast<double>(Tokens::kMaxMicro) / Tokens::kMicro;
  if (!value || *value < 0 || *value > kMost) {
    return std::nullopt;
  }
  return Tokens::micro(std::llround(*value * Tokens::kMicro));
}

// "got 'fast'", "got a list".
std::string got(const YAML::Node& node) {
  constexpr std::size_t kShown = 40;
  if (node.IsSequence()) {
    return "got a list";
  }
  if (node.IsMap()) {
    return "got fields";
  }
  const std::string text = node.IsScalar() ? node.Scalar() : std::string();
  return text.empty() ? "got nothing"
                      : "got '" + text.substr(0, kShown) + (text.size() > kShown ? "...'" : "'");
}

// Reads fields; the first thing that is wrong is kept, with where it is.
class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  using Field = std::function<void(const YAML::Node&)>;
  using Fields = std::map<std::string, Field>;

  // Whose fields are read: opens every message.
  void subject(std::string name) { subject_ = std::move(name); }

  void fail(const YAML::Node& at, const std::string& what) {
    if (!error_) {
      std::string where = subject_;
      for (std::size_t i = 0; i < path_.size(); ++i) {
        where += (i > 0 ? "." : where.empty() ? "" : ": ") + path_[i];
      }
      // An empty file has no line; the first is where something is missing.
      error_ = Error{source_ + ":" + std::to_string(std::max(0, at.Mark().line) + 1) + ": " +
                     where + (where.empty() ? "" : ": ") + what};
    }
  }
  void expected(const YAML::Node& at, const std::string& what) {
    fail(at, "expected " + what + ", " + got(at));
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  void map(const YAML::Node& node, const char* example, const Fields& fields) {
    if (!node.IsMap()) {
      expected(node, std::string("fields such as `") + example + "`");
      return;
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      const auto field = fields.find(key);
      if (field == fields.end()) {
        fail(entry.first, unknown(key, fields));
      } else if (!seen.insert(key).second) {
        fail(entry.first, "'" + key + "' is given twice");
      } else {
        within(key, [&] { field->second(entry.second); });
      }
    }
  }
  template <class Read>
  void within(const std::string& field, const Read& read) {
    path_.push_back(field);
    read();
    path_.pop_back();
  }

  std::string text(const YAML::Node& node, const char* what) {
    if (!node.IsScalar()) {
      expected(node, what);
      return {};
    }
    return node.Scalar();
  }
  Field amount(Tokens& out) {
    return [this, &out](const YAML::Node& node) {
      const auto value = tokens(text(node, "a number of tokens"));
      value ? out = *value : (expected(node, "a number of tokens >= 0"), Tokens{});
    };
  }
  Field fraction(Permille& out) {
    return [this, &out](const YAML::Node& node) {
      const auto value = base::read_number(text(node, "a number"));
      if (!value || *value < 0 || *value > 1000) {
        expected(node, "a number such as 0.85");
      } else {
        out = static_cast<Permille>(std::lround(*value * 1000));
      }
    };
  }
  Field flag(bool& out) {
    return [this, &out](const YAML::Node& node) {
      const std::string value = text(node, "true or false");
      if (value != "true" && value != "false") {
        expected(node, "true or false");
      }
      out = value == "true";
    };
  }
  Field duration(base::Duration& out) {
    return [this, &out](const YAML::Node& node) {
      const auto value = seconds(text(node, "a duration"));
      if (!value || *value > 1e6) {
        expected(node, "a duration such as 200ms or 5s");
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
        expected(node, known);
      } else {
        out = found->second;
      }
    };
  }
  template <class T>
  Field count(T& out, std::int64_t least, std::int64_t most) {
    return [this, &out, least, most](const YAML::Node& node) {
      const auto value = base::read_number(text(node, "a whole number"));
      if (!value || *value != std::floor(*value) || *value < static_cast<double>(least) ||
          *value > static_cast<double>(most)) {
        expected(node,
                 "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
      } else {
        out = static_cast<T>(*value);
      }
    };
  }

 private:
  static std::string unknown(const std::string& key, const Fields& fields) {
    std::vector<std::string> names;
    std::string known;
    for (const auto& [name, reader] : fields) {
      names.push_back(name);
      known += (known.empty() ? "" : ", ") + name;
    }
    return "unknown key '" + key + "'; expected one of " + known + base::did_you_mean(key, names);
  }

  const std::string& source_;
  std::string subject_;
  std::vector<std::string> path_;  // the field that is read now, from the outermost
  std::optional<Error> error_;
};

Reader::Field priorities(Reader& reader, LimitSpec& spec) {
  return [&](const YAML::Node& node) {
    if (!node.IsMap()) {
      reader.expected(node, "class: fraction");
      return;
    }
    for (const auto& entry : node) {
      bucket::PrioritySpec one{.name = reader.text(entry.first, "a class")};
      reader.within(one.name, [&] { reader.fraction(one.reserved)(entry.second); });
      spec.priorities.push_back(std::move(one));
    }
  };
}

// What messages call it, wherever in the entry its name stands.
std::string name_of(const YAML::Node& limit) {
  if (limit.IsMap()) {
    for (const auto& entry : limit) {
      if (entry.first.IsScalar() && entry.first.Scalar() == "name" && entry.second.IsScalar()) {
        return entry.second.Scalar();
      }
    }
  }
  return "limit";
}

LimitSpec read_one(Reader& reader, const YAML::Node& node) {
  LimitSpec spec;
  reader.subject(name_of(node));
  std::set<std::string> missing{"burst", "name", "rate"};
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
  const auto nested = [&](const char* example, const Reader::Fields& fields) {
    return [&reader, example, &fields](const YAML::Node& inner) {
      reader.map(inner, example, fields);
    };
  };
  const auto rate = [&](const YAML::Node& inner) {
    const auto value = read_rate(reader.text(inner, "a rate"));
    if (!value) {
      reader.fail(inner, value.error().message + ", " + got(inner));
      return;
    }
    spec.rate = *value;
    missing.erase("rate");
  };
  const auto burst = [&](const YAML::Node& inner) {
    reader.amount(spec.burst)(inner);
    missing.erase("burst");
  };
  const auto name = [&](const YAML::Node& inner) {
    spec.name = reader.text(inner, "a name");
    missing.erase(spec.name.empty() ? "" : "name");
  };
  reader.map(
      node, "name: api",
      {{"name", name},
       {"rate", rate},
       {"burst", burst},
       {"per", reader.choice(spec.per_key, {{"key", true}})},
       {"mode", reader.choice(spec.mode, {{"shared", bucket::Mode::kShared},
                                          {"strict", bucket::Mode::kStrict}})},
       {"bucket", nested("max: 100", bucket)},
       {"lend", nested("enabled: false", lend)},
       {"fairness", reader.choice(spec.fairness, {{"proportional", bucket::Fairness::kProportional},
                                                  {"maxmin", bucket::Fairness::kMaxMin},
                                                  {"karma", bucket::Fairness::kKarma}})},
       {"priorities", priorities(reader, spec)},
       {"queue", nested("max_wait: 5s", queue)},
       {"on_isolated", reader.choice(spec.on_isolated, {{"deny", bucket::OnIsolated::kDeny},
                                                        {"keep", bucket::OnIsolated::kKeep}})},
       {"shadow", reader.flag(spec.shadow)},
       {"max_keys", reader.count(spec.max_keys, 1, 1'000'000'000)}});
  if (!missing.empty()) {
    std::string names;
    for (const std::string& one : missing) {
      names += (names.empty() ? "" : " and ") + one;
    }
    reader.fail(node, "a limit needs name, rate and burst: expected " + names);
  }
  return spec;
}

base::Result<std::vector<LimitSpec>> read_all(const YAML::Node& root, const std::string& source) {
  Reader reader(source);
  std::vector<LimitSpec> specs;
  std::set<std::string> names;
  YAML::Node list;
  reader.map(root, "limits: [...]", {{"limits", [&](const YAML::Node& node) {
                                        list.reset(node);
                                        if (!node.IsSequence()) {
                                          reader.expected(node, "a list");
                                        }
                                      }}});
  for (const YAML::Node& node : list) {
    if (reader.error()) {
      break;
    }
    LimitSpec spec = read_one(reader, node);
    if (!names.insert(spec.name).second) {
      reader.fail(node, "another limit has the same name");
    } else if (const auto status = bucket::validate(spec); !status) {
      reader.fail(node, status.error().message);
    } else if (const auto sense = bucket::meaningful(spec); !sense) {
      reader.fail(node, sense.error().message);
    }
    specs.push_back(std::move(spec));
  }
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
    return Error{yaml_error(source, text, error.msg, error.mark.line)};
  }
}

}  // namespace brigade::api
