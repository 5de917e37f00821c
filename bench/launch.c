// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// launch: runs one command and prints, on one line of NAME=VALUE words, what it cost: wall time,
// user and system CPU, peak RSS, minor faults, and how it ended. bench/compare and
// bench/scenarios/run call it for every figure they print.
//
//   launch [OPTION...] -- COMMAND [ARG...]
//   launch [OPTION...] --server SOCKET -- SERVER [ARG...] -- CLIENT [ARG...]
//
// Why a program of its own: the kernel counts a child's peak RSS from before its exec, when it
// still shares its parent's memory. So a large parent (a Python script) hides small peaks. This
// one is static, needs no heap, and is smaller than any program it starts.
//
// With --server the server is what is measured (CPU, peak RSS, faults) and what the allocator is
// preloaded into. It is started first; the client starts, with nothing preloaded, once the Unix
// socket SOCKET accepts a connection. The wall time is the client's. At its end the server gets
// SIGTERM and must exit with 0.
//
// Threads: one. The signal handler only calls kill and _exit.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kEnvironmentMax = 1024, kReadyAttemptsMax = 20000 };

struct Options {
  const char* output;
  const char* errors;
  const char* input;
  const char* directory;
  const char* server_socket;
  unsigned timeout_s;
  int calibrate;
  char** command;
  char** client;
};

static char* environment[kEnvironmentMax];
static int environment_count;
static char preload_variable[4096];

// Process groups to kill on a timeout or an interrupt; 0 is none.
static volatile pid_t groups[2];

static void Die(const char* what) {
  fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
  exit(2);
}

static void Usage(const char* complaint) {
  fprintf(stderr,
          "launch: %s\n"
          "usage: launch [--preload LIBRARIES] [--env NAME=VALUE]... [--output FILE]\n"
          "              [--errors FILE] [--input FILE] [--directory DIR] [--timeout SECONDS]\n"
          "              [--calibrate] [--server SOCKET -- SERVER [ARG...]] -- COMMAND [ARG...]\n",
          complaint);
  exit(2);
}

static void KillGroups(void) {
  for (int i = 0; i < 2; ++i) {
    if (groups[i] > 0) kill(-groups[i], SIGKILL);
  }
}

static void OnSignal(int signal_number) {
  KillGroups();
  // On a timeout main goes on: wait4 returns the killed child and its status says so.
  if (signal_number != SIGALRM) _exit(128 + signal_number);
}

static int64_t NowNs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

// Times a fixed amount of work, about 5 ms. It does nothing but what a quiet core does at full
// speed, so a longer time says that something else ran, or that the clock was lowered.
static int64_t CalibrationNs(void) {
  static uint32_t table[4096];
  uint64_t state = 1;
  const int64_t start_ns = NowNs();
  for (int i = 0; i < 4000000; ++i) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    table[state >> 52] += (uint32_t)state;
  }
  __asm__ volatile("" ::"r"(table), "r"(state) : "memory");
  return NowNs() - start_ns;
}

static void AddEnvironment(char* variable) {
  if (environment_count == kEnvironmentMax - 1) Usage("too many environment variables");
  // A later value replaces an earlier one, as `env` does.
  const size_t name_length = strchr(variable, '=') - variable + 1;
  for (int i = 0; i < environment_count; ++i) {
    if (strncmp(environment[i], variable, name_length) == 0) {
      environment[i] = variable;
      return;
    }
  }
  environment[environment_count++] = variable;
}

static void ParseOption(struct Options* options, const char* name, char* value) {
  if (strcmp(name, "--preload") == 0) {
    snprintf(preload_variable, sizeof preload_variable, "LD_PRELOAD=%s", value);
  } else if (strcmp(name, "--env") == 0) {
    if (strchr(value, '=') == NULL) Usage("--env wants NAME=VALUE");
    AddEnvironment(value);
  } else if (strcmp(name, "--output") == 0) {
    options->output = value;
  } else if (strcmp(name, "--errors") == 0) {
    options->errors = value;
  } else if (strcmp(name, "--input") == 0) {
    options->input = value;
  } else if (strcmp(name, "--directory") == 0) {
    options->directory = value;
  } else if (strcmp(name, "--server") == 0) {
    options->server_socket = value;
  } else if (strcmp(name, "--timeout") == 0) {
    options->timeout_s = (unsigned)atoi(value);
  } else {
    Usage("unknown option");
  }
}

static struct Options Parse(int argc, char** argv) {
  struct Options options = {.input = "/dev/null"};
  int i = 1;
  while (i < argc && strcmp(argv[i], "--") != 0) {
    if (strcmp(argv[i], "--calibrate") == 0) {
      options.calibrate = 1;
      i += 1;
    } else {
      if (i + 1 >= argc) Usage("an option lacks its value");
      ParseOption(&options, argv[i], argv[i + 1]);
      i += 2;
    }
  }
  if (i + 1 >= argc) Usage("no command");
  options.command = &argv[i + 1];
  if (options.server_socket != NULL) {
    for (i += 1; i < argc && strcmp(argv[i], "--") != 0;) ++i;
    if (i + 1 >= argc) Usage("--server wants a client after a second --");
    argv[i] = NULL;  // Ends the server's own arguments.
    options.client = &argv[i + 1];
  }
  return options;
}

// Starts `command` in a process group of its own, so that a timeout takes all of its descendants.
static pid_t Spawn(const struct Options* options, char** command, char** variables,
                   const char* output) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, options->input, O_RDONLY, 0);
  if (output != NULL) {
    posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  }
  if (options->errors != NULL) {
    posix_spawn_file_actions_addopen(&files, 2, options->errors, O_WRONLY | O_CREAT | O_APPEND,
                                     0644);
  }
  if (options->directory != NULL) {
    posix_spawn_file_actions_addchdir_np(&files, options->directory);
  }
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  pid_t pid;
  errno = posix_spawnp(&pid, command[0], &files, &attributes, command, variables);
  if (errno != 0) {
    KillGroups();
    Die(command[0]);
  }
  return pid;
}

static int Wait(pid_t pid, struct rusage* usage) {
  int status;
  while (wait4(pid, &status, 0, usage) < 0) {
    if (errno != EINTR) Die("wait4");
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Returns when the socket accepts a connection. An early end of the server is seen by the client.
static void AwaitServer(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) Usage("the socket's path is too long");
  strcpy(address.sun_path, path);
  const struct timespec pause = {.tv_nsec = 500000};
  for (int attempt = 0; attempt < kReadyAttemptsMax; ++attempt) {
    const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    const int connected = connect(descriptor, (struct sockaddr*)&address, sizeof address) == 0;
    close(descriptor);
    if (connected) return;
    nanosleep(&pause, NULL);
  }
  fprintf(stderr, "launch: nothing listens at %s\n", path);
}

struct Result {
  int64_t wall_ns;
  int status;
  struct rusage usage;
};

static struct Result RunCommand(const struct Options* options) {
  struct Result result;
  const int64_t start_ns = NowNs();
  groups[0] = Spawn(options, options->command, environment, options->output);
  result.status = Wait(groups[0], &result.usage);
  result.wall_ns = NowNs() - start_ns;
  return result;
}

static struct Result RunServer(const struct Options* options, char** plain_environment) {
  struct Result result;
  struct rusage client_usage;
  groups[0] = Spawn(options, options->command, environment, "/dev/null");
  AwaitServer(options->server_socket);
  const int64_t start_ns = NowNs();
  groups[1] = Spawn(options, options->client, plain_environment, options->output);
  const int client_status = Wait(groups[1], &client_usage);
  result.wall_ns = NowNs() - start_ns;
  kill(groups[0], SIGTERM);
  const int server_status = Wait(groups[0], &result.usage);
  result.status = client_status != 0 ? client_status : server_status;
  return result;
}

static void CatchSignals(unsigned timeout_s) {
  struct sigaction action = {.sa_handler = OnSignal};
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  alarm(timeout_s);
}

int main(int argc, char** argv) {
  extern char** environ;
  for (char** variable = environ; *variable != NULL; ++variable) AddEnvironment(*variable);
  const struct Options options = Parse(argc, argv);
  if (preload_variable[0] != '\0') AddEnvironment(preload_variable);
  CatchSignals(options.timeout_s);

  const int64_t before_ns = options.calibrate ? CalibrationNs() : 0;
  const struct Result result =
      options.client == NULL ? RunCommand(&options) : RunServer(&options, environ);
  KillGroups();  // Whatever the command left running.
  alarm(0);
  const int64_t after_ns = options.calibrate ? CalibrationNs() : 0;

  const struct rusage* usage = &result.usage;
  printf(
      "wall_ns=%lld user_us=%lld sys_us=%lld maxrss_kb=%ld minflt=%ld majflt=%ld status=%d "
      "calibration_before_ns=%lld calibration_after_ns=%lld\n",
      (long long)result.wall_ns, usage->ru_utime.tv_sec * 1000000LL + usage->ru_utime.tv_usec,
      usage->ru_stime.tv_sec * 1000000LL + usage->ru_stime.tv_usec, usage->ru_maxrss,
      usage->ru_minflt, usage->ru_majflt, result.status, (long long)before_ns, (long long)after_ns);
  return 0;
}
