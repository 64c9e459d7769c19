/**
 * Made-up label sets with messages and the label a person would pick. `tuned` sets were looked at while the weights
 * were set; `held` sets were written before that and only ever counted.
 */
export interface CaseSet {
  name: string
  kept: 'tuned' | 'held'
  asked: string | null
  labels: { name: string; means: string; examples: string[] }[]
  cases: [text: string, label: string][]
}

const none = { name: 'unsure', means: 'none of these fits', examples: [] }

export const caseSets: CaseSet[] = [
  {
    name: 'pizza counter',
    kept: 'tuned',
    asked: 'Hello, this is the pizza counter. What can I do for you?',
    labels: [
      {
        name: 'order',
        means: 'wants to order a pizza or something to drink',
        examples: ['I would like a margherita', 'one large pizza please', 'can I order food'],
      },
      {
        name: 'track',
        means: 'asks where an order is or how long it takes',
        examples: ['where is my pizza', 'is my order on the way'],
      },
      {
        name: 'complain',
        means: 'is unhappy with an order: cold, late, wrong or missing',
        examples: ['my pizza arrived cold', 'there is something missing'],
      },
      { name: 'hours', means: 'asks about opening hours', examples: ['when do you close', 'are you open on Sunday'] },
      none,
    ],
    cases: [
      ['hi, could I get two pepperoni pizzas', 'order'],
      ['I want to order a calzone and a coke', 'order'],
      ['how much longer until my order arrives?', 'track'],
      ['has the driver left with my order yet', 'track'],
      ['the crust was burnt and it came an hour late', 'complain'],
      ['you sent me the wrong pizza!', 'complain'],
      ['what time do you open tomorrow', 'hours'],
      ['Are you open on public holidays?', 'hours'],
      ['my cat is called Bruno', 'unsure'],
      ['what is the capital of Portugal', 'unsure'],
      ['asdf qwer', 'unsure'],
      ['woud like to oder a margarita piza', 'order'],
    ],
  },
  {
    name: 'travel desk',
    kept: 'tuned',
    asked: 'How can the travel desk help?',
    labels: [
      {
        name: 'flights',
        means: 'books or changes a flight',
        examples: ['book me a flight to Oslo', 'I need to fly to Rome next week', 'change my flight'],
      },
      {
        name: 'hotels',
        means: 'finds or books a hotel room',
        examples: ['I need a room in Berlin', 'book a hotel for two nights'],
      },
      {
        name: 'expenses',
        means: 'hands in receipts and gets travel costs back',
        examples: ['how do I claim my taxi', 'reimburse my train ticket'],
      },
      {
        name: 'visas',
        means: 'helps with visas, passports and entry rules',
        examples: ['do I need a visa for India', 'my passport has run out'],
      },
      none,
    ],
    cases: [
      ['I have to be in Madrid on Monday, please get me a plane ticket', 'flights'],
      ['can you move my flight to the evening', 'flights'],
      ['looking for a place to stay in Lyon, three nights', 'hotels'],
      ['my hotel reservation needs one more night', 'hotels'],
      ['I paid for lunch with a client, how do I get the money back?', 'expenses'],
      ['where do I send my receipts', 'expenses'],
      ['do I need a visa to enter Japan?', 'visas'],
      ['my passport expires next month', 'visas'],
      ['the coffee machine leaks', 'unsure'],
      ['tell me a joke', 'unsure'],
      ['cancel the flight', 'flights'],
    ],
  },
  {
    name: 'library offer',
    kept: 'tuned',
    asked: 'The book is out until Friday. Would you like me to reserve it for you?',
    labels: [
      {
        name: 'reserve',
        means: 'agrees and wants the book to be reserved',
        examples: ['yes, reserve it', 'please do', 'that would be great'],
      },
      {
        name: 'decline',
        means: 'does not want the reservation',
        examples: ['no thanks', 'leave it', 'I changed my mind'],
      },
      {
        name: 'question',
        means: 'asks something about the library or the book',
        examples: ['how long can I keep it', 'what does it cost', 'who wrote it'],
      },
      {
        name: 'back',
        means: 'wants to do something else or go back to the start',
        examples: ['main menu', 'something else', 'start over'],
      },
      none,
    ],
    cases: [
      ['sure, go for it', 'reserve'],
      ["yeah that'd be lovely", 'reserve'],
      ['ok put it aside for me', 'reserve'],
      ["I'd like that very much", 'reserve'],
      ["no, I don't need it any more", 'decline'],
      ['nah, not worth the wait', 'decline'],
      ["I'd rather not", 'decline'],
      ['do not reserve it', 'decline'],
      ['how many pages does it have?', 'question'],
      ['what happens if I return it late', 'question'],
      ['is there a fee for that?', 'question'],
      ['take me back to the menu', 'back'],
      ['actually I want something different', 'back'],
      ['purple elephants', 'unsure'],
      ['let us begin again from the start', 'back'],
    ],
  },
  {
    name: 'leave office',
    kept: 'tuned',
    asked: null,
    labels: [
      {
        name: 'holiday',
        means: 'takes holiday or asks for days off',
        examples: ['I want to take next week off', 'request vacation', 'book annual leave'],
      },
      { name: 'sick', means: 'reports being ill', examples: ['I am sick today', 'I have the flu'] },
      {
        name: 'balance',
        means: 'asks how many days are left',
        examples: ['how many holidays do I have left', 'what is my balance'],
      },
      {
        name: 'parental',
        means: 'parental leave for a new child',
        examples: ['we are having a baby', 'how does paternity leave work'],
      },
      { name: 'none', means: 'nothing else here fits', examples: [] },
    ],
    cases: [
      ['I would like to be off from the 3rd to the 10th of May', 'holiday'],
      ['need a vacation in July', 'holiday'],
      ["I'm not feeling well and will stay in bed", 'sick'],
      ['caught a cold, not coming in', 'sick'],
      ['days remaining?', 'balance'],
      ['how much leave have I got left this year', 'balance'],
      ['my wife is pregnant, what are the rules', 'parental'],
      ['maternity leave please', 'parental'],
      ['the printer has no toner', 'none'],
      ['who won the match', 'none'],
    ],
  },
  {
    name: 'hotel reception',
    kept: 'held',
    asked: 'Good evening, reception. How may I help?',
    labels: [
      {
        name: 'housekeeping',
        means: 'room cleaning, towels, bedding',
        examples: ['my room has not been cleaned', 'could I have more towels', 'I need an extra pillow'],
      },
      {
        name: 'repairs',
        means: 'something in the room is broken or does not work',
        examples: ['the shower is broken', 'the heating does not work'],
      },
      {
        name: 'restaurant',
        means: 'books a table or orders food',
        examples: ['a table for two at eight', 'what is for dinner'],
      },
      {
        name: 'checkout',
        means: 'leaving, the bill and late checkout',
        examples: ['I want to check out', 'can I have the bill', 'late checkout please'],
      },
      none,
    ],
    cases: [
      ['there are no clean towels in the bathroom', 'housekeeping'],
      ['please send someone to make the bed', 'housekeeping'],
      ['could we get two more pillows', 'housekeeping'],
      ['the tv stopped working', 'repairs'],
      ['my air conditioning is making a terrible noise and is not cooling', 'repairs'],
      ['the lamp by the desk is faulty', 'repairs'],
      ['we would like to have dinner at seven, four people', 'restaurant'],
      ['can I reserve a table for tonight', 'restaurant'],
      ["I'm leaving early tomorrow, please prepare my bill", 'checkout'],
      ['is it possible to keep the room until 2pm and check out late', 'checkout'],
      ['do you know any good poems', 'unsure'],
      ['17 green bottles', 'unsure'],
    ],
  },
  {
    name: 'bank letter',
    kept: 'held',
    asked: 'Your card expires soon. Shall I send you a new one?',
    labels: [
      {
        name: 'send',
        means: 'agrees that a new card is sent',
        examples: ['yes please', 'send it', 'I would like a new card'],
      },
      { name: 'refuse', means: 'does not want a new card', examples: ['no', 'I do not want one', 'not now'] },
      {
        name: 'question',
        means: 'asks something about cards, fees or the bank',
        examples: ['what does the card cost', 'how long does it take'],
      },
      {
        name: 'else',
        means: 'wants to talk about another matter',
        examples: ['I have another request', 'something else'],
      },
      none,
    ],
    cases: [
      ['yes, go ahead and send me the new card', 'send'],
      ['sounds good', 'send'],
      ['absolutely, please do that', 'send'],
      ['I will take one', 'send'],
      ["no I don't think so", 'refuse'],
      ["please don't send anything", 'refuse'],
      ['not interested', 'refuse'],
      ['will my PIN stay the same?', 'question'],
      ['how much is the yearly fee', 'question'],
      ['when will it arrive', 'question'],
      ['I need help with a different thing', 'else'],
      ["that's not what I came for, I have another issue", 'else'],
      ['blah blah blah', 'unsure'],
    ],
  },
  {
    name: 'vet clinic',
    kept: 'held',
    asked: null,
    labels: [
      {
        name: 'appointment',
        means: 'makes, moves or cancels an appointment',
        examples: ['I need an appointment for my dog', 'can we come on Tuesday', 'cancel my appointment'],
      },
      {
        name: 'emergency',
        means: 'an animal is hurt or in danger right now',
        examples: ['my dog was hit by a car', 'my cat is bleeding'],
      },
      {
        name: 'medicine',
        means: 'orders or asks about medicine and prescriptions',
        examples: ['I need more tablets for my cat', 'how often do I give the drops'],
      },
      {
        name: 'invoice',
        means: 'questions on a bill or payment',
        examples: ['I have a question on my bill', 'can I pay by card'],
      },
      { name: 'other', means: 'anything that none of the other labels covers', examples: [] },
    ],
    cases: [
      ['we would like to see the doctor on Thursday', 'appointment'],
      ['I have to reschedule our appointment', 'appointment'],
      ['my rabbit is not breathing, please help right now', 'emergency'],
      ['help! the dog has been hurt by broken glass', 'emergency'],
      ['we ran out of pills for the cat', 'medicine'],
      ['I need a new prescription', 'medicine'],
      ['the bill seems too high', 'invoice'],
      ['can I pay the invoice in two parts?', 'invoice'],
      ['do you sell bicycles', 'other'],
      ['the weather is lovely', 'other'],
    ],
  },
  {
    name: 'conference after sign-up',
    kept: 'held',
    asked: 'You are signed up. Is there anything else I can do for you?',
    labels: [
      {
        name: 'thanks',
        means: 'says thanks or goodbye, needs nothing more',
        examples: ['thank you', "that's all", 'bye'],
      },
      {
        name: 'number',
        means: 'asks for the booking number again',
        examples: ['what was my booking number', 'can you repeat the number'],
      },
      {
        name: 'cancel',
        means: 'wants to cancel the booking',
        examples: ['cancel my booking', 'I cannot come after all'],
      },
      {
        name: 'question',
        means: 'asks about the conference, place or programme',
        examples: ['where does it take place', 'is lunch included', 'who speaks'],
      },
      none,
    ],
    cases: [
      ['no, thanks a lot for your help', 'thanks'],
      ['great, goodbye!', 'thanks'],
      ['nothing else, cheers', 'thanks'],
      ['could you tell me my booking number once more', 'number'],
      ['I forgot the number of the booking', 'number'],
      ['sorry, I have to withdraw my registration', 'cancel'],
      ['please cancel it', 'cancel'],
      ['how do I get to the venue?', 'question'],
      ['what time does it start', 'question'],
      ['is parking available', 'question'],
      ['banana bread recipe', 'unsure'],
    ],
  },
]
