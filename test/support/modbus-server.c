/*
 * A Modbus TCP device for the tests, by libmodbus. It listens on a free port of loopback, prints `port N`, and obeys
 * lines on standard input, each answered with `ok` (or with what was asked for):
 *
 *   coil ADDRESS VALUE      pulse ADDRESS MILLISECONDS      register ADDRESS VALUE
 *   hang 0|1     takes requests and does not answer         drop          closes all connections
 *   refuse ADDRESS          answers "illegal data address" to what covers this holding register; -1: to none
 *   delay MILLISECONDS      takes so long for each answer
 *   fail CODE               answers every request with this exception; 0: no more
 *   requests                how many were taken since it was asked last
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

static modbus_t *device;
static modbus_mapping_t *mapping;
static fd_set connections;
static int listener;
static int highest;
static int hanging;
static int refused = -1;
static int failing;
static int delay_ms;
static int requests;
static int pulse_coil = -1;
static long long pulse_ends;

static long long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Registers as they are to travel: libmodbus sends each with its high byte first. */
static void set_bytes(int address, const unsigned char *bytes, int registers) {
  for (int i = 0; i < registers; i++) mapping->tab_registers[address + i] = bytes[2 * i] << 8 | bytes[2 * i + 1];
}

/* The 8 bytes of a value, highest first. */
static void big_endian(unsigned long long value, unsigned char *bytes) {
  for (int i = 0; i < 8; i++) bytes[i] = value >> (56 - 8 * i);
}

static void fill(void) {
  uint16_t *registers = mapping->tab_registers;
  unsigned char bytes[8];
  registers[0] = 40000;
  registers[1] = (uint16_t)-1234;
  registers[2] = 3000000000u >> 16;
  registers[3] = 3000000000u & 0xffff;
  registers[4] = (uint16_t)(-123456 & 0xffff);
  registers[5] = (uint16_t)((-123456 >> 16) & 0xffff);
  /* 21.5 is 41 AC 00 00. Not by modbus_set_float_abcd and its like: libmodbus 3.1.6 swaps the bytes in them. */
  set_bytes(6, (const unsigned char[]){0x41, 0xac, 0x00, 0x00}, 2);
  set_bytes(8, (const unsigned char[]){0x00, 0x00, 0x41, 0xac}, 2);
  set_bytes(10, (const unsigned char[]){0xac, 0x41, 0x00, 0x00}, 2);
  set_bytes(12, (const unsigned char[]){0x00, 0x00, 0xac, 0x41}, 2);
  big_endian(1234567890123ULL, bytes);
  set_bytes(14, bytes, 4);
  long long negative = -1234567890123LL;
  memcpy(bytes, &negative, 8); /* little-endian, as the machine that runs the test has it: DCBA */
  set_bytes(18, bytes, 4);
  double pi = 3.141592653589793;
  unsigned long long pi_bits;
  memcpy(&pi_bits, &pi, 8);
  big_endian(pi_bits, bytes);
  for (int i = 0; i < 4; i++) registers[22 + i] = bytes[6 - 2 * i] << 8 | bytes[7 - 2 * i];
  registers[26] = 1 << 3;
  set_bytes(27, (const unsigned char *)"Pump A1\0", 4);
  registers[31] = 1;
  mapping->tab_input_registers[0] = 77;
  mapping->tab_input_bits[5] = 1;
}

static void drop_all(void) {
  for (int fd = 0; fd <= highest; fd++) {
    if (!FD_ISSET(fd, &connections) || fd == listener || fd == STDIN_FILENO) continue;
    close(fd);
    FD_CLR(fd, &connections);
  }
}

static int obey(void) {
  char line[200];
  int address, value;
  if (fgets(line, sizeof line, stdin) == NULL) return 0;
  if (sscanf(line, "coil %d %d", &address, &value) == 2) mapping->tab_bits[address] = value;
  else if (sscanf(line, "register %d %d", &address, &value) == 2) mapping->tab_registers[address] = value;
  else if (sscanf(line, "hang %d", &value) == 1) hanging = value;
  else if (sscanf(line, "refuse %d", &value) == 1) refused = value;
  else if (sscanf(line, "fail %d", &value) == 1) failing = value;
  else if (sscanf(line, "delay %d", &value) == 1) delay_ms = value;
  else if (strncmp(line, "drop", 4) == 0) drop_all();
  else if (strncmp(line, "requests", 8) == 0) {
    printf("requests %d\n", requests);
    requests = 0;
    fflush(stdout);
    return 1;
  } else if (sscanf(line, "pulse %d %d", &address, &value) == 2) {
    pulse_coil = address;
    pulse_ends = now_ms() + value;
    mapping->tab_bits[address] = 1;
  }
  puts("ok");
  fflush(stdout);
  return 1;
}

static void answer(int fd) {
  uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
  modbus_set_socket(device, fd);
  int length = modbus_receive(device, query);
  if (length < 0) {
    close(fd);
    FD_CLR(fd, &connections);
    return;
  }
  if (length < 12) return;
  requests++;
  if (hanging) return;
  usleep(delay_ms * 1000);
  /* Header of 7 bytes, function, address, count. */
  int first = query[8] << 8 | query[9];
  int count = query[10] << 8 | query[11];
  if (failing) modbus_reply_exception(device, query, failing);
  else if (query[7] == 3 && refused >= first && refused < first + count)
    modbus_reply_exception(device, query, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS);
  else modbus_reply(device, query, length, mapping);
}

int main(int argc, char **argv) {
  struct sockaddr_in address;
  setvbuf(stdin, NULL, _IONBF, 0);
  socklen_t size = sizeof address;
  device = modbus_new_tcp("127.0.0.1", argc > 1 ? atoi(argv[1]) : 0);
  mapping = modbus_mapping_new(100, 100, 300, 100);
  if (device == NULL || mapping == NULL) return 1;
  fill();
  listener = modbus_tcp_listen(device, 8);
  if (listener < 0 || getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
    fprintf(stderr, "cannot listen: %s\n", modbus_strerror(errno));
    return 1;
  }
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  FD_ZERO(&connections);
  FD_SET(listener, &connections);
  FD_SET(STDIN_FILENO, &connections);
  highest = listener;
  for (;;) {
    fd_set ready = connections;
    struct timeval wait = {0, 5000};
    if (select(highest + 1, &ready, NULL, NULL, &wait) < 0) return 1;
    if (pulse_coil >= 0 && now_ms() >= pulse_ends) {
      mapping->tab_bits[pulse_coil] = 0;
      pulse_coil = -1;
    }
    if (FD_ISSET(STDIN_FILENO, &ready) && !obey()) return 0;
    for (int fd = 0; fd <= highest; fd++) {
      if (!FD_ISSET(fd, &ready) || !FD_ISSET(fd, &connections) || fd == STDIN_FILENO) continue;
      if (fd == listener) {
        int accepted = accept(listener, NULL, NULL);
        if (accepted < 0) continue;
        FD_SET(accepted, &connections);
        if (accepted > highest) highest = accepted;
      } else answer(fd);
    }
  }
}
