"""Says what it reads, prints what it hears: python3 client.py localhost 12345 ada"""
import socket
import sys
import threading

host, port, name = sys.argv[1:4]
with socket.create_connection((host, int(port))) as chat:
    lines = chat.makefile("rw", encoding="utf-8", newline="\n")
    lines.write(name + "\n")  # the first line is the name
    lines.flush()
    threading.Thread(target=lambda: [print(line, end="", flush=True) for line in lines], daemon=True).start()
    for line in sys.stdin:
        lines.write(line)
        lines.flush()
    lines.write("/quit\n")
    lines.flush()
