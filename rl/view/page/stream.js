// A panel's pictures: reads the multipart stream, decodes the newest JPEG and draws it. A picture that
// comes while one is being decoded waits, and gives way to a newer one: the page skips, it never lags.

const decoder = new TextDecoder();

// Cuts a byte stream into {headers, body} by Content-Length. Keeps at most a picture.
class Parts {
  constructor() {
    this.bytes = new Uint8Array(1 << 16);
    this.length = 0;
    this.need = 0; // bytes of head and body, once the head is known
    this.head = null;
  }

  push(chunk) {
    if (this.length + chunk.length > this.bytes.length) {
      const larger = new Uint8Array(2 * (this.length + chunk.length));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(chunk, this.length);
    this.length += chunk.length;
  }

  // Where the blank line that ends a head is, -1 if it has not come.
  headEnd() {
    for (let i = 3; i < this.length && i < 1024; i++) {
      if (this.bytes[i] === 10 && this.bytes[i - 1] === 13 && this.bytes[i - 2] === 10) return i + 1;
    }
    return -1;
  }

  next() {
    if (!this.head) {
      const end = this.headEnd();
      if (end < 0) return null;
      const text = decoder.decode(this.bytes.subarray(0, end));
      const field = (name) => Number((new RegExp(name + ': *(\\d+)', 'i').exec(text) || [])[1] || 0);
      this.head = { state: field('x-state'), sequence: field('x-sequence') };
      this.start = end;
      this.need = end + field('content-length');
    }
    if (this.length < this.need) return null;
    const part = { ...this.head, jpeg: this.bytes.slice(this.start, this.need) };
    this.bytes.copyWithin(0, this.need, this.length);
    this.length -= this.need;
    this.head = null;
    return part;
  }
}

export class Stream {
  // drawn(part) is called behind every picture; lost(status) when the stream ends by itself.
  constructor(url, canvas, drawn, lost) {
    this.url = url;
    this.canvas = canvas;
    this.context = canvas.getContext('2d', { alpha: false });
    this.drawn = drawn;
    this.lost = lost;
    this.stats = { starts: 0, arrived: 0, drawn: 0, bytes: 0 };
    this.waiting = null;
    this.busy = false;
    this.abort = null;
  }

  get open() {
    return this.abort !== null;
  }

  async start() {
    if (this.open) return;
    const abort = (this.abort = new AbortController());
    let status = 0;
    this.stats.starts++;
    try {
      const answer = await fetch(this.url, { signal: abort.signal, cache: 'no-store' });
      status = answer.status;
      if (!answer.ok) throw new Error(`status ${status}`);
      const reader = answer.body.getReader();
      const parts = new Parts();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        this.stats.bytes += value.length;
        parts.push(value);
        for (let part = parts.next(); part; part = parts.next()) {
          this.stats.arrived++;
          this.waiting = part;
        }
        this.decode();
      }
    } catch (error) {
      if (abort.signal.aborted) return;
    }
    if (this.abort === abort) this.abort = null;
    if (!abort.signal.aborted) this.lost(status);
  }

  stop() {
    if (this.abort) this.abort.abort();
    this.abort = null;
  }

  async decode() {
    if (this.busy) return;
    this.busy = true;
    while (this.waiting) {
      const part = this.waiting;
      this.waiting = null;
      try {
        const image = await createImageBitmap(new Blob([part.jpeg], { type: 'image/jpeg' }));
        if (this.canvas.width !== image.width || this.canvas.height !== image.height) {
          this.canvas.width = image.width;
          this.canvas.height = image.height;
        }
        this.context.drawImage(image, 0, 0);
        image.close();
        this.stats.drawn++;
        this.drawn(part);
      } catch (error) {
        // a picture that cannot be decoded is one that is skipped
      }
    }
    this.busy = false;
  }
}
