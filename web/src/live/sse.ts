// Server-sent events from a byte stream. The browser's EventSource is not used because it can't send
// the position from which to go on after *we* decide that a silent connection is dead.

export interface Frame {
  event: string;
  id: string;
  data: string;
}

/** A parser that is fed text as it comes and calls back for each whole event. */
export function sseParser(onFrame: (frame: Frame) => void): (chunk: string) => void {
  let rest = '';
  let frame: Frame = { event: '', id: '', data: '' };
  const line = (text: string) => {
    if (text === '') {
      if (frame.data !== '') onFrame(frame);
      frame = { event: '', id: frame.id, data: '' };
      return;
    }
    const colon = text.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') frame.data = frame.data === '' ? value : `${frame.data}\n${value}`;
    else if (field === 'event') frame.event = value;
    else if (field === 'id') frame.id = value;
  };
  return (chunk) => {
    rest += chunk;
    let start = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
      line(rest.charCodeAt(end - 1) === 13 ? rest.slice(start, end - 1) : rest.slice(start, end));
      start = end + 1;
    }
    rest = rest.slice(start);
  };
}
