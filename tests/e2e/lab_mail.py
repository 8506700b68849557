"""A mail server for one mailbox that takes mail over STARTTLS alone: `python3 lab_mail.py ADDRESS PORT CERTIFICATE KEY FOLDER`. Each
mail becomes a file in FOLDER, with its envelope in lines before it."""
import asyncio
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP


class Box:
    def __init__(self, folder):
        self.folder, self.count = pathlib.Path(folder), 0

    async def handle_DATA(self, server, session, envelope):
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n".encode()
        part = self.folder / f"{self.count}.part"
        part.write_bytes(head + envelope.content)
        part.rename(self.folder / f"{self.count}.eml")
        self.count += 1
        return "250 taken"


async def serve(address, port, certificate, key, folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    box = Box(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, hostname="mail.op.example", tls_context=context, require_starttls=True), address, int(port))
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
