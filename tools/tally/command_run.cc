// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// `tally run -- COMMAND`: runs a program on Tally, published, and sums up at the end.
//
// The process leaves its file behind (TALLY_PUBLISH_KEEP with its own id, which is known between
// fork and exec), so that the summary is there however it ends.

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/tally/command.h"
#include "tools/tally/live_books.h"
#include "tools/tally/stats_file.h"
#include "tools/tally/units.h"

namespace tally::tool {
namespace {

struct RunOptions {
  std::string library;
  std::string output;
  std::string format = "text";
  uint64_t interval_s = 0;
  bool is_kept = false;
  std::vector<std::string> command;
};

// The library beside this program, where a build leaves both, or where an installation does.
std::string FindLibrary() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  for (const std::filesystem::path& place :
       {self.parent_path() / "libtally.so", self.parent_path() / ".." / "libtally.so",
        self.parent_path().parent_path() / TALLY_LIBRARY_DIRECTORY / "libtally.so.0"}) {
    if (std::filesystem::exists(place, error)) {
      return std::filesystem::canonical(place, error).string();
    }
  }
  return "";
}

void SetOptions(const RunOptions& options) {
  const char* before = std::getenv("LD_PRELOAD");
  const bool has_more = before != nullptr && *before != '\0';
  setenv("LD_PRELOAD",
         (has_more ? absl::StrCat(options.library, ":", before) : options.library).c_str(), 1);
  setenv("TALLY_PUBLISH", "1", 1);
  setenv("TALLY_PUBLISH_KEEP", absl::StrCat(getpid()).c_str(), 1);
  if (!options.output.empty()) {
    setenv("TALLY_STATS", "exit", 1);
    setenv("TALLY_STATS_FILE", options.output.c_str(), 1);
    setenv("TALLY_STATS_FORMAT", options.format.c_str(), 1);
  }
  if (options.interval_s != 0) {
    setenv("TALLY_STATS_INTERVAL", absl::StrCat(options.interval_s).c_str(), 1);
  }
}

// In the child. Does not return.
[[noreturn]] void Execute(const RunOptions& options) {
  SetOptions(options);
  std::vector<char*> arguments;
  for (const std::string& argument : options.command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const int error = errno;
  Complain("run", absl::StrCat(options.command[0], ": ", std::strerror(error)));
  _exit(error == ENOENT ? 127 : 126);  // as shells do
}

void PrintBooks(const View& view) {
  const Books& books = view.books;
  const auto line = [](const char* name, uint64_t bytes, const char* meaning) {
    std::cerr << absl::StrFormat("  %-14s %11s  %s\n", name, Bytes(static_cast<double>(bytes)),
                                 meaning);
  };
  std::cerr << "  " << Blocks(books.allocated_blocks()) << " blocks allocated, "
            << Blocks(books.live_blocks()) << " live at the end; " << books.peak_threads
            << " threads at most\n";
  std::cerr << "  mapped at most " << Bytes(static_cast<double>(books.mapped_peak_bytes))
            << ", at the end " << Bytes(static_cast<double>(books.mapped_bytes)) << ":\n";
  for (const IdentityTerm& term : kIdentityTerms) {
    if (books.identity.*term.bytes != 0) {
      line(term.title, books.identity.*term.bytes, term.meaning);
    }
  }
  if (books.mismatched_sizes != 0) {
    std::cerr << "  " << books.mismatched_sizes << " sized deletes did not match their block\n";
  }
}

void PrintSummary(const RunOptions& options, pid_t process, double seconds, const rusage& usage) {
  std::cerr << absl::StrFormat(
      "tally: %s (process %d): %s, %s of CPU, peak RSS %s\n", Printable(options.command[0]),
      process, Duration(seconds),
      Duration(static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6),
      Bytes(static_cast<double>(usage.ru_maxrss) * 1024));
  const std::string directory_entry = absl::StrCat("/", process);
  for (const std::string& directory : PublishDirectories()) {
    const std::string path = directory + directory_entry;
    const absl::StatusOr<View> view = ReadView(path);
    if (view.ok()) {
      PrintBooks(*view);
      if (options.is_kept) {
        std::cerr << "  books kept in " << path << '\n';
      } else {
        unlink(path.c_str());
      }
      return;
    }
  }
  std::cerr << "  no books: the program did not run on Tally (is it static, or set-user-id?)\n";
}

int RunRun(RunOptions options) {
  options.library = options.library.empty() ? FindLibrary() : options.library;
  std::error_code error;
  if (options.library.empty() || !std::filesystem::exists(options.library, error)) {
    Complain("run", options.library.empty()
                        ? "libtally.so is not beside this program; name it with --library"
                        : options.library + ": no such library");
    return kNotSo;
  }
  options.library = std::filesystem::absolute(options.library).string();
  const auto start = std::chrono::steady_clock::now();
  std::cout.flush();
  const pid_t process = fork();
  if (process < 0) {
    Complain("run", std::strerror(errno));
    return kNotSo;
  }
  if (process == 0) {
    Execute(options);
  }
  // The terminal sends these to both; the program decides what they mean.
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  int status = 0;
  rusage usage{};
  while (wait4(process, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  PrintSummary(options, process, seconds.count(), usage);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

void AddRunCommand(CLI::App& app, int& exit_code) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command =
      app.add_subcommand("run", "Run a program on Tally, published; sum up at the end");
  command->add_option("--library", options->library, "The libtally.so to use")->type_name("FILE");
  command
      ->add_option("--output", options->output,
                   "Write a report there at exit; %p: process id, %t: seconds, %n: its number")
      ->type_name("PATTERN");
  command->add_option("--format", options->format, "Of these reports")
      ->check(CLI::IsMember({"text", "json", "openmetrics", "prometheus"}))
      ->type_name("FORMAT");
  command->add_option("--interval", options->interval_s, "And every so many seconds")
      ->type_name("SECONDS");
  command->add_flag("--keep", options->is_kept, "Leave the published file behind");
  command->add_option("COMMAND", options->command, "The program and its arguments")->required();
  command->prefix_command(false);
  command->positionals_at_end(true);
  command->callback([options, &exit_code] { exit_code = RunRun(*options); });
}

}  // namespace tally::tool
