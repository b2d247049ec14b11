#pragma once
// Disturbs the n-th call of the system that touches files: the process is killed before it, or the call
// fails, or writes half. By seccomp(2): such calls raise SIGSYS, whose handler makes them in their place,
// with a last argument, which none of them has, that lets them through.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <vector>

#include "fokker/core/error.h"

namespace fokker {

/// What is done to a call. `error` is that of a call that fails.
struct Fault {
  enum class Kind { kill, fail, cut } kind = Kind::kill;
  int error = 0;
};

namespace fault_detail {

constexpr uint32_t let_through = 0x0f0cce12;

/// Read in a signal handler of the thread that sets it.
struct Trap {
  Fault fault;
  int at = 0, seen = 0;
};
inline Trap trap;

inline bool is_one_of(long call, std::initializer_list<long> calls) {
  return std::find(calls.begin(), calls.end(), call) != calls.end();
}
inline bool writes(long call) {
  return is_one_of(call, {__NR_write, __NR_writev, __NR_pwrite64});
}
inline bool renames(long call) {
  return is_one_of(call, {
#ifdef __NR_rename
                             __NR_rename,
#endif
#ifdef __NR_renameat
                             __NR_renameat,
#endif
                             __NR_renameat2});
}
inline bool makes_folder(long call) {
#ifdef __NR_mkdir
  if (call == __NR_mkdir) return true;
#endif
  return call == __NR_mkdirat;
}
inline bool removes(long call) {
#ifdef __NR_unlink
  if (call == __NR_unlink || call == __NR_rmdir) return true;
#endif
  return call == __NR_unlinkat;
}
/// The flags of an open, or none.
inline long open_flags(long call, const std::array<long, 5>& arguments) {
#ifdef __NR_open
  if (call == __NR_open) return arguments[1];
#endif
  return call == __NR_openat ? arguments[2] : 0;
}
inline bool syncs(long call) {
  return is_one_of(call, {__NR_fsync, __NR_fdatasync});
}
inline bool opens(long call) {
#ifdef __NR_open
  if (call == __NR_open) return true;
#endif
  return call == __NR_openat;
}

/// Whether a call may end so, on a disk that is full or may only be read, or is broken.
inline bool may_fail(long call, const std::array<long, 5>& arguments, const Fault& fault) {
  const bool changes_names = renames(call) || makes_folder(call);
  const long flags = open_flags(call, arguments);
  switch (fault.error) {
    case ENOSPC:
    case EDQUOT:
      return writes(call) || syncs(call) || changes_names || (flags & O_CREAT) != 0;
    case EROFS:
      return changes_names || removes(call) || (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0;
    default:
      return true;
  }
}

inline bool applies(long call, const std::array<long, 5>& arguments, const Fault& fault) {
  if (fault.kind == Fault::Kind::kill) return call != __NR_read;
  // What a program writes to its own output is no file.
  if ((writes(call) || call == __NR_read || call == __NR_close) && arguments[0] <= 2) return false;
  return fault.kind == Fault::Kind::cut ? writes(call) : may_fail(call, arguments, fault);
}

inline long make_call(long call, const std::array<long, 5>& a) {
  const long result = ::syscall(call, a[0], a[1], a[2], a[3], a[4], static_cast<long>(let_through));
  return result < 0 ? -errno : result;
}

/// Writes half of what was asked for.
inline long make_half(long call, std::array<long, 5> arguments) {
  if (call != __NR_writev) {
    arguments[2] = (arguments[2] + 1) / 2;
    return make_call(call, arguments);
  }
  iovec first = *reinterpret_cast<const iovec*>(arguments[1]);
  if (arguments[2] == 1) first.iov_len = (first.iov_len + 1) / 2;
  arguments[1] = reinterpret_cast<long>(&first);
  arguments[2] = 1;
  return make_call(call, arguments);
}

inline void on_call(int, siginfo_t* info, void* context) {
  const int code = errno;
  auto& machine = static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  auto& r = machine.gregs;
  const std::array<long, 5> arguments = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8]};
  auto& result = r[REG_RAX];
#else
  auto& r = machine.regs;
  const std::array<long, 5> arguments = {static_cast<long>(r[0]), static_cast<long>(r[1]),
                                         static_cast<long>(r[2]), static_cast<long>(r[3]),
                                         static_cast<long>(r[4])};
  auto& result = r[0];
#endif
  const long call = info->si_syscall;
  const bool now = trap.at > 0 && applies(call, arguments, trap.fault) && ++trap.seen == trap.at;
  if (now && trap.fault.kind == Fault::Kind::kill) ::kill(::getpid(), SIGKILL);
  long value = 0;
  if (now && trap.fault.kind == Fault::Kind::fail)
    value = -trap.fault.error;
  else
    value = now ? make_half(call, arguments) : make_call(call, arguments);
  result = static_cast<std::remove_reference_t<decltype(result)>>(value);
  errno = code;
}

/// Every call that touches files raises a signal, unless it has the last argument. False where not permitted.
inline bool set_traps() {
  const std::vector<long> calls = {
#ifdef __NR_open
      __NR_open,      __NR_creat, __NR_rename, __NR_unlink,    __NR_rmdir,     __NR_mkdir,
#endif
#ifdef __NR_renameat
      __NR_renameat,
#endif
      __NR_openat,    __NR_write, __NR_writev, __NR_pwrite64,  __NR_ftruncate, __NR_fsync,
      __NR_fdatasync, __NR_close, __NR_read,   __NR_renameat2, __NR_unlinkat,  __NR_mkdirat};
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[5])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, let_through, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const long call : calls) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  struct sigaction action = {};
  action.sa_sigaction = on_call;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  const sock_fprog filter{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  return ::sigaction(SIGSYS, &action, nullptr) == 0 && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// Makes an exchange of names fail in this process, as on a file system that has none.
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

}  // namespace fault_detail

enum class Ending { killed, finished, failed, not_permitted };

/// Runs `work` in a child process whose calls can be disturbed (disturbed); `failed` where it returns false
/// or throws.
inline Ending run_with_traps(const std::function<bool()>& work, bool without_exchange = false) {
  constexpr int refused = 77;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    if (without_exchange && !fault_detail::forbid_exchange()) ::_exit(refused);
    if (!fault_detail::set_traps()) ::_exit(refused);
    bool good = false;
    try {
      good = work();
    } catch (const std::exception& error) {
      std::printf("threw: %s\n", error.what());
    }
    std::fflush(nullptr);
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGKILL ? Ending::killed : Ending::failed;
  if (WEXITSTATUS(status) == refused) return Ending::not_permitted;
  return WEXITSTATUS(status) == 0 ? Ending::finished : Ending::failed;
}

enum class Disturbed { not_reached, unnoticed, refused, wrong };

/// Within run_with_traps: does `action` with a fault at its n-th call that may have it, counted from 1.
/// `refused` where it ends in a resource error of one line, `wrong` where in another.
inline Disturbed disturbed(const Fault& fault, int n, const std::function<void()>& action) {
  auto& trap = fault_detail::trap;
  trap = {.fault = fault, .at = n};
  Disturbed found = Disturbed::unnoticed;
  try {
    action();
  } catch (const Error& error) {
    const bool one_line = std::string(error.what()).find('\n') == std::string::npos;
    // A file that cannot be read back is a bad one.
    const bool right =
        error.kind() == ErrorKind::resource || (error.kind() == ErrorKind::input && fault.error == EIO);
    found = right && one_line ? Disturbed::refused : Disturbed::wrong;
    if (found == Disturbed::wrong) std::printf("call %d: %s\n", n, error.what());
  }
  trap.at = 0;
  if (trap.seen >= n) return found;
  return found == Disturbed::unnoticed ? Disturbed::not_reached : Disturbed::wrong;
}

/// Runs `action` in a child and kills it before its n-th such call, counted from 1; `finished` where it made
/// fewer.
inline Ending run_killed(int n, bool without_exchange, const std::function<void()>& action) {
  return run_with_traps([&] { return disturbed({}, n, action) == Disturbed::not_reached; }, without_exchange);
}

}  // namespace fokker
