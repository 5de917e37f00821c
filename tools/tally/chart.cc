// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

#include "tools/tally/chart.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

// The drawing in its own units; the page scales it to the width there is.
constexpr double kWidth = 860;
constexpr double kLeft = 74;
constexpr double kRight = kWidth - 12;
constexpr double kTop = 10;
constexpr double kBelow = 26;
constexpr double kTicksAbout = 5;

struct Axis {
  double max;
  double step;
};

// A step of 1, 2 or 5 times a power of ten of `unit`, for about kTicksAbout of them.
double NiceStep(double max, double unit) {
  const double rough = max / unit / kTicksAbout;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (rough <= factor * power) {
      return factor * power * unit;
    }
  }
  return 10 * power * unit;
}

Axis ValueAxis(double max, Unit unit) {
  if (max <= 0) {
    return {1, 1};
  }
  double scale = 1;
  while (unit != Unit::kBlocksPerSecond && max / scale >= 1024) {
    scale *= 1024;
  }
  // No smaller things than bytes and blocks.
  const double step = std::max(NiceStep(max, scale), 1.0);
  return {std::ceil(max / step) * step, step};
}

double TimeStep(double span) {
  constexpr double kSteps[] = {1,   2,    5,    10,   15,    30,    60,    120,   300,    600,
                               900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800};
  for (const double step : kSteps) {
    if (span >= 1 && span / step <= 10) {
      return step;
    }
  }
  return NiceStep(span, span < 1 ? 1 : 86400);
}

std::string TimeLabel(double seconds, double step) {
  const auto whole = static_cast<int64_t>(seconds);
  if (step >= 86400) {
    return absl::StrCat(whole / 86400, " d");
  }
  if (step >= 3600) {
    return absl::StrCat(whole / 3600, " h");
  }
  if (step >= 60) {
    return absl::StrCat(whole / 60, " min");
  }
  return absl::StrFormat("%g s", seconds);
}

std::string ValueLabel(double value, Unit unit) {
  if (value == 0) {
    return "0";
  }
  if (unit == Unit::kBlocksPerSecond) {
    return Short(value) + "/s";
  }
  std::string text = Bytes(value);
  const size_t zero = text.find(".0 ");
  if (zero != std::string::npos) {
    text.erase(zero, 2);
  }
  return unit == Unit::kBytes ? text : text + "/s";
}

std::string Color(int color) {
  return color == kInk ? "var(--ink)" : absl::StrCat("var(--c", color, ")");
}

class Drawing {
 public:
  explicit Drawing(const Chart& chart)
      : chart_(chart), values_(ValueAxis(Max(chart), chart.unit)), bottom_(chart.height - kBelow) {}

  std::string Svg() const {
    std::string svg =
        absl::StrFormat("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"%s\">\n", kWidth,
                        chart_.height, Escaped(chart_.title));
    AddGrid(svg);
    AddAreas(svg);
    for (const Layer& line : chart_.lines) {
      absl::StrAppend(&svg, "<path class=\"line\" style=\"stroke:", Color(line.color), "\" d=\"",
                      Path(line.values, "M"), "\"/>\n");
    }
    absl::StrAppendFormat(&svg, "<line class=\"cursor\" y1=\"%g\" y2=\"%g\"/>\n</svg>\n", kTop,
                          bottom_);
    return svg;
  }

 private:
  static double Max(const Chart& chart) {
    double max = 0;
    for (size_t i = 0; i < chart.seconds.size(); ++i) {
      double sum = 0;
      for (const Layer& area : chart.areas) {
        sum += area.values[i];
      }
      max = std::max(max, sum);
      for (const Layer& line : chart.lines) {
        max = std::max(max, line.values[i]);
      }
    }
    return max;
  }

  double X(double seconds) const {
    return kLeft + (chart_.span == 0 ? 0 : seconds / chart_.span) * (kRight - kLeft);
  }
  double Y(double value) const { return bottom_ - value / values_.max * (bottom_ - kTop); }

  void AddGrid(std::string& svg) const {
    for (int i = 0; i * values_.step <= values_.max * 1.001; ++i) {
      const double y = Y(i * values_.step);
      absl::StrAppendFormat(&svg,
                            "<line class=\"grid\" x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\"/>"
                            "<text class=\"tick\" x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%s"
                            "</text>\n",
                            kLeft, kRight, y, y, kLeft - 8, y + 4,
                            ValueLabel(i * values_.step, chart_.unit));
    }
    const double step = TimeStep(chart_.span);
    for (int i = 0; i * step <= chart_.span * 1.001; ++i) {
      const double x = X(i * step);
      absl::StrAppendFormat(&svg,
                            "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" y2=\"%g\"/>"
                            "<text class=\"tick\" x=\"%.1f\" y=\"%g\" text-anchor=\"%s\">%s"
                            "</text>\n",
                            x, x, kTop, bottom_, x, bottom_ + 18,
                            x > kRight - 20 ? "end" : "middle", TimeLabel(i * step, step));
    }
  }

  // The points from left to right; `command` begins them.
  std::string Path(const std::vector<double>& values, const char* command) const {
    std::string path;
    for (size_t i = 0; i < values.size(); ++i) {
      absl::StrAppendFormat(&path, "%s%.1f %.1f", i == 0 ? command : "L", X(chart_.seconds[i]),
                            Y(values[i]));
    }
    return path;
  }

  void AddAreas(std::string& svg) const {
    std::vector<double> base(chart_.seconds.size(), 0);
    for (const Layer& area : chart_.areas) {
      std::vector<double> top = base;
      for (size_t i = 0; i < top.size(); ++i) {
        top[i] += area.values[i];
      }
      std::string back;
      for (size_t i = base.size(); i-- > 0;) {
        absl::StrAppendFormat(&back, "L%.1f %.1f", X(chart_.seconds[i]), Y(base[i]));
      }
      absl::StrAppend(&svg, "<path class=\"area\" style=\"fill:", Color(area.color), "\" d=\"",
                      Path(top, "M"), back, "Z\"/>\n");
      base = std::move(top);
    }
  }

  const Chart& chart_;
  const Axis values_;
  const double bottom_;
};

// From top to bottom as the eye meets them: lines, then the stack from its top.
std::vector<const Layer*> InLegendOrder(const Chart& chart) {
  std::vector<const Layer*> layers;
  for (const Layer& line : chart.lines) {
    layers.push_back(&line);
  }
  for (auto area = chart.areas.rbegin(); area != chart.areas.rend(); ++area) {
    layers.push_back(&*area);
  }
  return layers;
}

std::string Legend(const Chart& chart) {
  std::string html = "<table class=\"legend\"><tr><th></th><th>last</th><th>most</th></tr>\n";
  for (const Layer* layer : InLegendOrder(chart)) {
    const double most = *std::max_element(layer->values.begin(), layer->values.end());
    absl::StrAppend(&html, "<tr title=\"", Escaped(layer->meaning),
                    "\"><td><i style=\"background:", Color(layer->color), "\"></i>",
                    Escaped(layer->name), "</td><td>", ValueLabel(layer->values.back(), chart.unit),
                    "</td><td>", ValueLabel(most, chart.unit), "</td></tr>\n");
  }
  return html + "</table>\n";
}

// What the page's script shows under the pointer.
std::string TipData(const Chart& chart) {
  nlohmann::ordered_json data{{"left", kLeft},
                              {"right", kRight},
                              {"width", kWidth},
                              {"span", chart.span},
                              {"seconds", chart.seconds},
                              {"unit", chart.unit == Unit::kBlocksPerSecond ? "" : "B"},
                              {"rate", chart.unit == Unit::kBytes ? "" : "/s"},
                              {"layers", nlohmann::ordered_json::array()}};
  for (const Layer* layer : InLegendOrder(chart)) {
    std::vector<int64_t> values;
    for (const double value : layer->values) {
      values.push_back(std::llround(value));
    }
    data["layers"].push_back(
        {{"name", layer->name}, {"color", Color(layer->color)}, {"values", values}});
  }
  return data.dump();
}

std::string Caption(const std::string& title, const std::string& note) {
  return absl::StrCat("<figcaption><b>", Escaped(title), "</b> ", Escaped(note), "</figcaption>\n");
}

}  // namespace

std::string Figure(const Chart& chart) {
  return absl::StrCat("<figure class=\"panel chart\" data-chart=\"", Escaped(TipData(chart)),
                      "\">\n", Caption(chart.title, chart.note), "<div class=\"plot\">\n",
                      Drawing(chart).Svg(), "</div>\n", Legend(chart), "</figure>\n");
}

std::string Bars(const std::string& title, const std::string& note, const std::vector<Bar>& bars) {
  double max = 1;
  for (const Bar& bar : bars) {
    max = std::max(max, bar.offset + bar.bytes);
  }
  std::string html =
      absl::StrCat("<figure class=\"panel\">\n", Caption(title, note), "<div class=\"bars\">\n");
  for (const Bar& bar : bars) {
    absl::StrAppend(&html, "<span title=\"", Escaped(bar.meaning), "\">", Escaped(bar.name),
                    "</span><span>", Bytes(bar.bytes), "</span>");
    absl::StrAppendFormat(
        &html,
        "<svg viewBox=\"0 0 1000 20\" preserveAspectRatio=\"none\">"
        "<rect x=\"%.1f\" width=\"%.1f\" height=\"20\" style=\"fill:%s\"/></svg>\n",
        bar.offset / max * 1000, bar.bytes == 0 ? 0 : std::max(bar.bytes / max * 1000, 1.0),
        Color(bar.color));
  }
  return html + "</div>\n</figure>\n";
}

std::string Escaped(std::string_view text) {
  std::string html;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += letter;
    }
  }
  return html;
}

}  // namespace tally::tool
