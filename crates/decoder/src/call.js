// Calls the decoder by whichever of the three usual names it has: LoRa Alliance TS013 and The Things
// Stack (decodeUplink), ChirpStack 3 (Decode), The Things Network 2 (Decoder). What it needs of the
// engine is taken before the decoder is read, which may put its own in its place.
(function () {
  'use strict';
  const write = JSON.stringify, Time = Date, Failure = RangeError, isList = Array.isArray;
  return function (input, most) {
    const time = new Time(input.recvTime);
    let got;
    if (typeof globalThis.decodeUplink === 'function') {
      got = globalThis.decodeUplink({ bytes: input.bytes, fPort: input.fPort, recvTime: time, variables: {} });
    } else if (typeof globalThis.Decode === 'function') {
      got = { data: globalThis.Decode(input.fPort, input.bytes, {}) };
    } else if (typeof globalThis.Decoder === 'function') {
      got = { data: globalThis.Decoder(input.bytes, input.fPort) };
    } else {
      throw new Failure('there is no function decodeUplink');
    }
    if (got === null || typeof got !== 'object') return null;
    const errors = got.errors;
    if (isList(errors) && errors.length > 0) return write({ errors: `${errors[0]}` });
    const data = write(got.data);
    if (typeof data !== 'string') return null;
    if (data.length > most) return data;
    return `{"data":${data}}`;
  };
})()
