import { expect, test } from 'vitest';
import { sseParser, type Frame } from './sse';

function frames(...chunks: string[]): Frame[] {
  const out: Frame[] = [];
  const feed = sseParser((f) => out.push(f));
  chunks.forEach(feed);
  return out;
}

test.each([
  ['one frame', ['event: tile\nid: 7\ndata: {"a":1}\n\n'], [{ event: 'tile', id: '7', data: '{"a":1}' }]],
  ['cut anywhere', ['eve', 'nt: tile\nid: 7\nda', 'ta: x\n', '\n'], [{ event: 'tile', id: '7', data: 'x' }]],
  ['lines with carriage returns', ['data: x\r\n\r\n'], [{ event: '', id: '', data: 'x' }]],
  ['comments keep the line open and say nothing', [': hello\n\ndata: x\n\n'], [{ event: '', id: '', data: 'x' }]],
  ['several data lines', ['data: a\ndata: b\n\n'], [{ event: '', id: '', data: 'a\nb' }]],
  ['the id stays until another comes', ['id: 3\ndata: a\n\ndata: b\n\n'], [{ event: '', id: '3', data: 'a' }, { event: '', id: '3', data: 'b' }]],
  ['half a frame is no frame', ['data: x\n'], []],
])('%s', (_name, chunks, expected) => expect(frames(...chunks)).toEqual(expected));
