/** How mail clients mark what is quoted, in the languages that they write. */

const wrote = [
  ...['wrote', 'schrieb', 'schrieb am .{4,60}', 'a écrit', 'escribió', 'ha scritto', 'scrive', 'schreef', 'escreveu'],
  ...[
    'skrev',
    'napisał\\(?a?\\)?',
    'napsal\\(?a?\\)?',
    'kirjoitti',
    'написал\\(?а?\\)?',
    'пишет',
    '写道',
    'のメール',
    'ezt írta',
  ],
].join('|')
const opening = [
  ...['On', 'Am', 'Le', 'El', 'Il', 'Op', 'Em', 'Den', 'Dne', 'W dniu', 'Em ', 'A ', '\\d{1,4}[./\\-年]', 'Mon', 'Tue'],
  ...['Wed', 'Thu', 'Fri', 'Sat', 'Sun', '在', 'ma', 'ti', 'ke', 'to', 'pe', 'la', 'su', 'пн', 'вт', 'ср', 'чт', 'пт'],
  // A name or an address before the verb: "Jane Doe <jane@example.com> schrieb am …:".
  ...['[^<>]{0,80}<[^<>\\s]+@[^<>\\s]+>'],
].join('|')

/** "On Monday, Jane wrote:", on one line. It needs a digit or an address, which a person's own sentence seldom has. */
export const attribution = new RegExp(`^(?=.*(?:\\d|@))(?:${opening}).{0,300}?(?:${wrote}).{0,120}?[:：]$`, 'iu')

const originals = [
  ...[
    'Original Message',
    'Original Appointment',
    'Forwarded message',
    'Ursprüngliche Nachricht',
    'Weitergeleitete Nachricht',
  ],
  ...['Originalnachricht', "Message d['’]origine", 'Message transféré', 'Mensaje original', 'Mensaje reenviado'],
  ...[
    'Messaggio originale',
    'Messaggio inoltrato',
    'Oorspronkelijk bericht',
    'Mensagem original',
    'Ursprungligt meddelande',
  ],
  ...['Oprindelig meddelelse', 'Opprinnelig melding', 'Alkuperäinen viesti', 'Původní zpráva', 'Wiadomość oryginalna'],
  ...['Исходное сообщение', '元のメッセージ', '原始邮件', '원본 메시지'],
].join('|')

/** "-----Original Message-----". */
export const original = new RegExp(
  `^(?:-{2,}|_{2,})\\s*(?:${originals})\\s*(?:-{2,}|_{2,})$|^Begin forwarded message:$`,
  'iu',
)

/** Names of the headers over a quote. */
export const headerNames = {
  from: /^(?:From|Von|De|Da|Van|Från|Fra|Od|От|Lähettäjä|差出人|发件人|보낸 사람)\s?[:：]/iu,
  sent: /^(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Fecha|Inviato|Data|Verzonden|Skickat|Sendt|Wysłano|Odesláno|Отправлено|Дата|Lähetetty|送信日時|日付|发送时间|日期|보낸 날짜)(?:\s+(?:el|le|am))?\s?[:：]/iu,
  subject:
    /^(?:Subject|Betreff|Objet|Asunto|Oggetto|Onderwerp|Assunto|Ämne|Emne|Temat|Předmět|Тема|Aihe|件名|主题|제목)\s?[:：]/iu,
}

/** What a phone adds of itself. */
export const device =
  /^(?:Sent from (?:my|Outlook|Mail|Yahoo|Proton)|Get Outlook for|Von meinem .{2,40} gesendet|Gesendet (?:mit|von)|Holen Sie sich Outlook|Envoyé (?:de mon|depuis)|Enviado (?:desde|do) m|Inviato da|Verzonden vanaf|Skickat från|Sendt fra|Отправлено с|iPhoneから送信)/iu
