-- Who said it, beside whom it is for: a program that asks in a person's name cannot give that person's yes.
alter table requests add column speaker text; -- verified e-mail address of the one who asked; null: a program
