// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// A leak, and who tells of it. A thermometer keeps callbacks; each captures a reference to the
// display that wants to know; and each display refers to the thermometer. That is a cycle, but a
// std::function hides what it holds, so no collection finds it, though REFGC_TRACE names the
// member.
//
//   observer_leak [PICTURE]   also draws who keeps the thermometer: .dot, or .svg with Graphviz
//
// Run it with REFGC_REPORT=exit. With refgc::function, bound to the display, nothing leaks.

#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "refgc/refgc.h"

namespace climate {

class Thermometer {
 public:
  void on_change(std::function<void(int)> callback) { callbacks_.push_back(std::move(callback)); }
  void set(int degrees) {
    for (const auto& callback : callbacks_) {
      callback(degrees);
    }
  }

 private:
  std::string place_ = "kitchen";
  std::vector<std::function<void(int)>> callbacks_;

 public:
  REFGC_TRACE(callbacks_)
};

class Display {
 public:
  Display(std::string name, const refgc::ref<Thermometer>& source)
      : name_(std::move(name)), source_(source) {}
  void show(int degrees) const { std::printf("%s: %d degrees\n", name_.c_str(), degrees); }

 private:
  std::string name_;
  refgc::ref<Thermometer> source_;

 public:
  REFGC_TRACE(source_)
};

void connect(const refgc::ref<Thermometer>& source, const std::string& name) {
  auto display = refgc::make<Display>(name, source);
  source->on_change([display](int degrees) { display->show(degrees); });  // here is the cycle
}

// What a debugger, or a test, would ask.
void explain(const refgc::ref<Thermometer>& thermometer, const char* picture) {
  refgc::objgraph::show_most_common_types();
  std::printf("%s\n",
              refgc::objgraph::describe(refgc::objgraph::find_backref_chain(thermometer)).c_str());
  if (picture != nullptr) {
    refgc::objgraph::save(refgc::objgraph::show_backrefs(thermometer), picture);
  }
}

}  // namespace climate

int main(int argc, char** argv) {
  try {
    auto thermometer = refgc::make<climate::Thermometer>();
    climate::connect(thermometer, "hall");
    climate::connect(thermometer, "garden");
    thermometer->set(21);
    climate::explain(thermometer, argc > 1 ? argv[1] : nullptr);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "observer_leak: %s\n", e.what());
    return 1;
  }
  std::printf("collected: %zu\n", refgc::collect());
}
