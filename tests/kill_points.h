#pragma once
// Kills a child process before its n-th call of the system that changes files, by ptrace(2).
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <functional>
#include <iterator>

namespace fokker {

enum class KillResult { killed, finished, failed, not_permitted };

inline bool changes_files(uint64_t call) {
  static constexpr long calls[] = {
#ifdef __NR_open
      __NR_open,      __NR_creat,    __NR_rename, __NR_unlink,   __NR_rmdir,     __NR_mkdir,
#endif
      __NR_openat,    __NR_write,    __NR_writev, __NR_pwrite64, __NR_ftruncate, __NR_fsync,
      __NR_fdatasync, __NR_close,
#ifdef __NR_renameat
      __NR_renameat,
#endif
      __NR_renameat2, __NR_unlinkat, __NR_mkdirat};
  return std::find(std::begin(calls), std::end(calls), static_cast<long>(call)) != std::end(calls);
}

/// Makes an exchange of names fail in this process, as on a file system that has none. False where not
/// permitted.
inline bool forbid_exchange() {
  constexpr uint32_t exchange = 2;  // RENAME_EXCHANGE
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_renameat2, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[4])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, exchange, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// Runs `action` in a child and kills it before its n-th such call, counted from 1; `finished` where it made
/// fewer.
inline KillResult run_killed(int n, bool without_exchange, const std::function<void()>& action) {
  constexpr int refused = 77, threw = 78, system_stop = SIGTRAP | 0x80;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(refused);
    if (without_exchange && !forbid_exchange()) ::_exit(refused);
    ::raise(SIGSTOP);
    try {
      action();
    } catch (...) {
      ::_exit(threw);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) return KillResult::not_permitted;
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  int seen = 0;
  for (long signal = 0;;) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, signal);
    if (::waitpid(child, &status, 0) != child) return KillResult::failed;
    if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? KillResult::finished : KillResult::failed;
    if (WIFSIGNALED(status)) return KillResult::failed;
    signal = WSTOPSIG(status) == system_stop ? 0 : WSTOPSIG(status);
    if (signal != 0) continue;
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, child, reinterpret_cast<void*>(sizeof info), &info) <= 0) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      return KillResult::not_permitted;
    }
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !changes_files(info.entry.nr) || ++seen < n) continue;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return KillResult::killed;
  }
}

}  // namespace fokker
