#pragma once

namespace fokker {

/// Operations of Python's pickle module, by the bytes that stand for them (pickletools.opcodes).
enum PickleOperation : unsigned char {
  op_mark = '(',
  op_stop = '.',
  op_binget = 'h',
  op_long_binget = 'j',
  op_binput = 'q',
  op_long_binput = 'r',
  op_memoize = 0x94,
  op_none = 'N',
  op_true = 0x88,
  op_false = 0x89,
  op_binint = 'J',
  op_binint1 = 'K',
  op_binint2 = 'M',
  op_long1 = 0x8a,
  op_binfloat = 'G',
  op_binunicode = 'X',
  op_short_binunicode = 0x8c,
  op_binunicode8 = 0x8d,
  op_binbytes = 'B',
  op_short_binbytes = 'C',
  op_binstring = 'T',
  op_short_binstring = 'U',
  op_empty_tuple = ')',
  op_tuple = 't',
  op_tuple1 = 0x85,
  op_tuple2 = 0x86,
  op_tuple3 = 0x87,
  op_empty_list = ']',
  op_append = 'a',
  op_appends = 'e',
  op_empty_dict = '}',
  op_setitem = 's',
  op_setitems = 'u',
  op_global = 'c',
  op_stack_global = 0x93,
  op_reduce = 'R',
  op_build = 'b',
  op_binpersid = 'Q',
  op_proto = 0x80,
  op_frame = 0x95,
};

}  // namespace fokker
