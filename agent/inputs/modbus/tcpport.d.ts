/** The part of modbus-serial that is used: its framing of Modbus TCP. The package's main file would load `serialport`. */
declare module 'modbus-serial/ports/tcpport.js' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  class TcpPort extends EventEmitter<{ data: [answer: Buffer]; close: [] }> {
    constructor(options: { socket: Socket });
    /** Of the next request. */
    readonly _transactionIdWrite: number;
    /** Of the answer that `data` is called with. */
    readonly _transactionIdRead: number;
    /** @param request unit, function, data, and two bytes in the place of a serial line's checksum */
    write(request: Buffer): void;
  }
  export default TcpPort;
}
