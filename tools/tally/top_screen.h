// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The terminal of `tally top`, by ncurses: keys and drawing. Lines that do not fit are cut.
//
// Called by command_top.

#ifndef TOOLS_TALLY_TOP_SCREEN_H_
#define TOOLS_TALLY_TOP_SCREEN_H_

#include <cstdint>
#include <string>

#include "tools/tally/top_model.h"

namespace tally::tool {

enum class Key : uint8_t { kNone, kQuit, kUp, kDown, kEnter, kBack, kSort, kPause };

class Screen {
 public:
  // Takes over the terminal; gives it back at the end.
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // False where the standard output is no terminal.
  bool is_open() const { return is_open_; }

  // Waits for a key up to *left_s seconds, and takes what it waited off them. A resize counts as a
  // key that means nothing.
  Key WaitForKey(double* left_s);

  void DrawList(const TopModel& model, SortBy sort, int64_t selected, bool is_paused);
  // `row` is null where the process is not, or no longer, published.
  void DrawProcess(const TopRow* row, int64_t process, bool is_paused);

 private:
  void Line(int y, const std::string& text, int style = 0);
  void Footer(const std::string& text, bool is_paused);
  int DrawWaterfall(const TopRow& row, int y);
  void DrawClasses(const TopRow& row, int y);

  bool is_open_ = false;
};

}  // namespace tally::tool

#endif  // TOOLS_TALLY_TOP_SCREEN_H_
