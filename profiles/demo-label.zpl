^XA
^FO30,30^A0N,32^FD{product} {version}^FS
^FO30,80^A0N,28^FD{mac}^FS
^FO30,120^A0N,28^FDSN {serial}^FS
^FO30,160^A0N,24^FDlot {lot}  {date}^FS
^FO420,20{qr:5}^FS
^XZ
