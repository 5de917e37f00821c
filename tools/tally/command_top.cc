// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// `tally top`: a live full-screen view of all published processes, and of one.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <memory>

#include "tools/tally/command.h"
#include "tools/tally/top_model.h"
#include "tools/tally/top_screen.h"

namespace tally::tool {
namespace {

volatile std::sig_atomic_t is_ending = 0;

// What the keys have chosen.
struct Choice {
  int64_t process = 0;   // shown alone; zero: the list
  int64_t selected = 0;  // in the list
  SortBy sort = SortBy::kLive;
  bool is_paused = false;
};

void Select(const TopModel& model, int step, Choice* choice) {
  const std::vector<const TopRow*> rows = model.Sorted(choice->sort);
  if (rows.empty()) {
    return;
  }
  int at = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    at = rows[i]->view.process == choice->selected ? static_cast<int>(i) : at;
  }
  at = std::clamp(at + step, 0, static_cast<int>(rows.size()) - 1);
  choice->selected = rows[static_cast<size_t>(at)]->view.process;
}

// False when the user wants to end.
bool Obey(Key key, const TopModel& model, Choice* choice) {
  switch (key) {
    case Key::kQuit:
      return false;
    case Key::kUp:
      Select(model, -1, choice);
      break;
    case Key::kDown:
      Select(model, 1, choice);
      break;
    case Key::kEnter:
      Select(model, 0, choice);
      choice->process = choice->selected;
      break;
    case Key::kBack:
      choice->process = 0;
      break;
    case Key::kSort:
      choice->sort = Next(choice->sort);
      break;
    case Key::kPause:
      choice->is_paused = !choice->is_paused;
      break;
    case Key::kNone:
      break;
  }
  return true;
}

void Draw(Screen& screen, const TopModel& model, const Choice& choice) {
  const TopRow* row = choice.process == 0 ? nullptr : model.Find(choice.process);
  if (choice.process != 0) {
    screen.DrawProcess(row, choice.process, choice.is_paused);
  } else {
    screen.DrawList(model, choice.sort, choice.selected, choice.is_paused);
  }
}

int RunTop(int64_t process, double delay_s) {
  Screen screen;
  if (!screen.is_open()) {
    Complain("top", "the standard output is no terminal; use `tally stat --interval` instead");
    return kNotSo;
  }
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    std::signal(number, [](int) { is_ending = 1; });
  }
  TopModel model;
  Choice choice;
  choice.process = process;
  model.Refresh(process);
  Select(model, 0, &choice);
  double left_s = delay_s;
  while (is_ending == 0) {
    Draw(screen, model, choice);
    const int64_t before = choice.process;
    if (!Obey(screen.WaitForKey(&left_s), model, &choice)) {
      break;
    }
    left_s = choice.process == before ? left_s : 0;
    if (left_s <= 0) {
      left_s = delay_s;
      if (!choice.is_paused) {
        model.Refresh(choice.process);
      }
    }
  }
  return kGood;
}

}  // namespace

void AddTopCommand(CLI::App& app, int& exit_code) {
  const auto process = std::make_shared<int64_t>(0);
  const auto delay_s = std::make_shared<double>(1);
  CLI::App* command = app.add_subcommand("top", "Watch all published processes, or one");
  command->add_option("PID", *process, "Begin with this process")->check(CLI::PositiveNumber);
  command->add_option("--delay", *delay_s, "Seconds between two looks (1)")
      ->check(CLI::Range(0.1, 3600.0))
      ->type_name("SECONDS");
  command->callback([process, delay_s, &exit_code] { exit_code = RunTop(*process, *delay_s); });
}

}  // namespace tally::tool
