// Milesight sensors (EM300 family, AT101): a payload is a row of channels, each a number, a type and
// its value, least significant byte first. The channels are as the maker's user guides list them.

// What a channel holds, by its number and type: the length of the value, and how it is read.
var CHANNELS = {
  '01 75': [1, function (d, b) { d.battery = b[0]; }],
  '03 67': [2, function (d, b) { d.temperature = signed16(b) / 10; }],
  '04 68': [1, function (d, b) { d.humidity = b[0] / 2; }],
  '05 00': [1, function (d, b) { d.gpio = b[0] ? 'high' : 'low'; }],
  '05 c8': [4, function (d, b) { d.pulse = unsigned32(b); }],
  '06 00': [1, function (d, b) { d.magnet_status = b[0] ? 'open' : 'close'; }],
  'ff 01': [1, function (d, b) { d.ipso_version = 'v' + (b[0] >> 4) + '.' + (b[0] & 15); }],
  'ff 09': [2, function (d, b) { d.hardware_version = 'v' + b[0] + '.' + (b[1] >> 4); }],
  'ff 0a': [2, function (d, b) { d.firmware_version = 'v' + b[0] + '.' + b[1]; }],
  'ff 0b': [1, function (d) { d.device_status = 'on'; }],
  'ff 0f': [1, function (d, b) { d.lorawan_class = ['A', 'B', 'C', 'CtoB'][b[0]]; }],
  'ff 16': [8, function (d, b) { d.sn = b.map(hex).join(''); }]
};

function hex(byte) { return ('0' + byte.toString(16)).slice(-2); }
function unsigned32(b) { return ((b[3] << 24) | (b[2] << 16) | (b[1] << 8) | b[0]) >>> 0; }
function signed16(b) { var n = (b[1] << 8) | b[0]; return n > 0x7fff ? n - 0x10000 : n; }

function decodeUplink(input) {
  var data = {}, at = 0, bytes = input.bytes;
  while (at < bytes.length) {
    var name = hex(bytes[at]) + ' ' + (at + 1 < bytes.length ? hex(bytes[at + 1]) : '');
    var channel = CHANNELS[name];
    if (!channel) return { errors: ['channel ' + name + ' at byte ' + at + ' is not known'] };
    var value = bytes.slice(at + 2, at + 2 + channel[0]);
    if (value.length < channel[0]) return { errors: ['channel ' + name + ' ends too early'] };
    channel[1](data, value);
    at += 2 + channel[0];
  }
  return { data: data };
}
