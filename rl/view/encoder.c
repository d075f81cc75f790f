// A video file by ffmpeg: see encoder.h.
#include "rl/view/encoder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 48, SAID_SIZE = 400 };

// ---------------------------------------------------------------- formats

// What ffmpeg is told about each format: filter, encoder with its options, container.
static const struct {
  const char *ending, *filter;
  const char *option[12];  // up to a NULL
} formats[] = {
    [RL_ENCODER_MP4] = {".mp4",
                        "",
                        {"-c:v", "libx264", "-preset", "medium", "-crf", "20", "-movflags",
                         "+faststart", "-f", "mp4"}},
    [RL_ENCODER_GIF] = {".gif",
                        ",split[a][b];[a]palettegen=stats_mode=diff[p];[b][p]paletteuse=dither="
                        "bayer:bayer_scale=4:diff_mode=rectangle",
                        {"-loop", "0", "-f", "gif"}},
    [RL_ENCODER_WEBP] = {".webp",
                         "",
                         {"-c:v", "libwebp_anim", "-quality", "80", "-loop", "0", "-f", "webp"}},
    [RL_ENCODER_PNG] = {".png", "", {"-c:v", "png", "-f", "image2", "-update", "1"}},
};

RlEncoderFormat rl_encoder_format(const char *path) {
  const char *dot = strrchr(path, '.');
  for (int k = RL_ENCODER_MP4; dot && k <= RL_ENCODER_PNG; k++) {
    if (strcmp(dot, formats[k].ending) == 0) return (RlEncoderFormat)k;
  }
  return RL_ENCODER_NONE;
}

// ---------------------------------------------------------------- starting

// `.tmp-NAME-PID` beside the file, as rl/base/file.c names what is not whole
static RlStatus name_files(RlEncoder *encoder, const char *path) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  int folder = (int)(name - path);
  int n = snprintf(encoder->path, sizeof encoder->path, "%s", path);
  int t = snprintf(encoder->temporary, sizeof encoder->temporary, "%.*s.tmp-%s-%ld", folder, path,
                   name, (long)getpid());
  if (n < RL_PATH_SIZE && t < RL_PATH_SIZE - 8 && *name != '\0') return RL_OK;
  return rl_error(RL_USAGE, "%.200s: cannot write: the name is empty or too long", path);
}

// Opens the file ffmpeg is to fill: what is wrong with the place is said here, in our words.
static RlStatus make_temporary(RlEncoder *encoder) {
  int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  int fd = open(encoder->temporary, flags, 0644);
  if (fd < 0) {
    int error = errno;
    encoder->temporary[0] = '\0';
    return rl_file_error(encoder->path, "cannot write", error);
  }
  close(fd);
  return RL_OK;
}

static RlStatus spawn(RlEncoder *encoder, int in, char *const argument[]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, encoder->said, STDERR_FILENO);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // in a group of its own: Ctrl-C is for us, and we end it
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  int error = posix_spawnp(&encoder->child, "ffmpeg", &actions, &attributes, argument, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return RL_OK;
  encoder->child = 0;
  return rl_error(RL_FAIL, "%s: ffmpeg: found %s, expected the program (on Debian: ffmpeg)",
                  encoder->path, strerror(error));
}

// ffmpeg's command line, in text and argument.
typedef struct {
  char size[32], rate[16], filter[256], file[RL_PATH_SIZE + 8];
  const char *argument[MAX_ARGUMENTS];
  int n;
} Command;

static void say(Command *c, const char *const *argument) {
  while (*argument) {
    RL_ASSERT(c->n < MAX_ARGUMENTS - 1);
    c->argument[c->n++] = *argument++;
  }
}

static void compose(Command *c, const RlEncoder *encoder) {
  const RlEncoderOptions *o = &encoder->options;
  snprintf(c->size, sizeof c->size, "%dx%d", o->width, o->height);
  snprintf(c->rate, sizeof c->rate, "%d", o->fps);
  snprintf(c->file, sizeof c->file, "file:%s", encoder->temporary);
  bool yuv = o->format == RL_ENCODER_MP4 || o->format == RL_ENCODER_WEBP;
  snprintf(c->filter, sizeof c->filter, "scale=%d:%d,format=%s%s", o->width, o->height,
           yuv ? "yuv420p" : "rgb24", formats[o->format].filter);
  // without -xerror a file cut short by a full disk ends well
  say(c, (const char *[]){"ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-xerror",
                          "-y", NULL});
  if (o->jpeg) {
    say(c, (const char *[]){"-f", "mjpeg", "-framerate", c->rate, NULL});
  } else {
    say(c, (const char *[]){"-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", c->size,
                            "-framerate", c->rate, NULL});
  }
  say(c, (const char *[]){"-i", "pipe:0", "-an", "-vsync", "passthrough", "-vf", c->filter, NULL});
  say(c, formats[o->format].option);
  say(c, (const char *[]){c->file, NULL});
}

RlStatus rl_encoder_open(RlEncoder *encoder, const char *path, const RlEncoderOptions *options) {
  *encoder = (RlEncoder){.options = *options, .in = -1, .said = -1};
  RL_TRY(name_files(encoder, path));
  RL_TRY(rl_file_check_free(path, options->force));
  RL_TRY(make_temporary(encoder));
  Command command = {.n = 0};
  compose(&command, encoder);
  // a socket and not a pipe: a send can be told to raise no signal
  int end[2];
  encoder->said = memfd_create("ffmpeg", MFD_CLOEXEC);
  if (encoder->said < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end) != 0) {
    return rl_file_error(path, "cannot speak to ffmpeg", errno);
  }
  // a child that reads nothing must not keep us from looking whether to stop
  const struct timeval patience = {.tv_usec = 100000};
  (void)setsockopt(end[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  encoder->in = end[0];
  RlStatus status = spawn(encoder, end[1], (char *const *)command.argument);
  close(end[1]);
  return status;
}

// ---------------------------------------------------------------- feeding and ending

static bool stopped(const RlEncoder *encoder) {
  return encoder->options.stop && *encoder->options.stop;
}

static RlStatus refuse_stopped(const RlEncoder *encoder) {
  return rl_error(RL_FAIL, "%s: found a signal to stop, expected to finish", encoder->path);
}

// The first line of what ffmpeg said, or how it ended.
static RlStatus complain(RlEncoder *encoder, int how) {
  char said[SAID_SIZE] = "";
  ssize_t n = pread(encoder->said, said, sizeof said - 1, 0);
  said[n > 0 ? n : 0] = '\0';
  said[strcspn(said, "\n")] = '\0';
  if (said[0] == '\0' && WIFSIGNALED(how)) {
    snprintf(said, sizeof said, "an end by signal %d", WTERMSIG(how));
  }
  return rl_error(RL_FAIL, "%s: ffmpeg: found '%s', expected it to write the file", encoder->path,
                  said[0] ? said : "no word");
}

// Waits for ffmpeg's end. It looks around instead of sleeping in waitpid, because a stop may come
// from another thread, or between a look and the sleep.
static int reap(RlEncoder *encoder) {
  const struct timespec rest = {.tv_nsec = 5000000};
  int how = 0;
  if (encoder->in >= 0) close(encoder->in);
  encoder->in = -1;
  while (encoder->child > 0) {
    pid_t ended = waitpid(encoder->child, &how, WNOHANG);
    if (ended > 0 || (ended < 0 && errno != EINTR)) break;
    if (stopped(encoder)) kill(encoder->child, SIGKILL);
    nanosleep(&rest, NULL);
  }
  encoder->child = 0;
  return how;
}

RlStatus rl_encoder_push(RlEncoder *encoder, const uint8_t *data, size_t size) {
  while (size > 0) {
    ssize_t n = send(encoder->in, data, size, MSG_NOSIGNAL);
    if (stopped(encoder)) return refuse_stopped(encoder);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    // it has ended before its time, and has said why
    if (n < 0) return complain(encoder, reap(encoder));
    data += n;
    size -= (size_t)n;
  }
  return RL_OK;
}

// Gives the file its name; a name taken meanwhile is kept unless forced.
static RlStatus publish(RlEncoder *encoder) {
  int fd = open(encoder->temporary, O_RDONLY | O_CLOEXEC);
  int error = fd < 0 || (fsync(fd) != 0 && errno != EINVAL) ? errno : 0;
  if (fd >= 0) close(fd);
  unsigned flags = encoder->options.force ? 0 : RENAME_NOREPLACE;
  int failed = error ? 0 : renameat2(AT_FDCWD, encoder->temporary, AT_FDCWD, encoder->path, flags);
  if (failed && errno == EINVAL) {
    // a file system that cannot refuse
    RL_TRY(rl_file_check_free(encoder->path, encoder->options.force));
    failed = rename(encoder->temporary, encoder->path);
  }
  if (failed) error = errno;
  if (error) return rl_file_error(encoder->path, "cannot write", error);
  encoder->temporary[0] = '\0';
  return RL_OK;
}

RlStatus rl_encoder_finish(RlEncoder *encoder) {
  int how = reap(encoder);
  if (stopped(encoder)) return refuse_stopped(encoder);
  if (!WIFEXITED(how) || WEXITSTATUS(how) != 0) return complain(encoder, how);
  return publish(encoder);
}

void rl_encoder_abandon(RlEncoder *encoder) {
  if (encoder->child > 0) kill(encoder->child, SIGKILL);
  (void)reap(encoder);
  if (encoder->said >= 0) close(encoder->said);
  encoder->said = -1;
  if (encoder->temporary[0]) unlink(encoder->temporary);
  encoder->temporary[0] = '\0';
}
