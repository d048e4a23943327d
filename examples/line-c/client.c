/* Says what it reads, prints what it hears: cc -o client client.c && ./client 127.0.0.1 12345 ada */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int count, char **args) {
  if (count < 4) return 2;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(args[2])), .sin_addr.s_addr = inet_addr(args[1])};
  int chat = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(chat, (struct sockaddr *)&to, sizeof to) < 0) return perror("connect"), 1;
  dprintf(chat, "%s\n", args[3]); /* the first line is the name */
  struct pollfd in[] = {{.fd = chat, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
  char text[4096];
  for (ssize_t n; poll(in, 2, -1) > 0;)
    for (int i = 0; i < 2; i++)
      if (in[i].revents) {
        if ((n = read(in[i].fd, text, sizeof text)) <= 0) return i ? dprintf(chat, "/quit\n"), 0 : 0;
        if (write(i ? chat : STDOUT_FILENO, text, n) < n) return 1;
      }
}
