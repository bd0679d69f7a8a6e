# The desk in English. The three files have the same keys with the same variables; a test compares them.

## Every page

skip = Skip to the content
menu = Menu
menu-inbox = Inbox
menu-search = Search
menu-record = Record
menu-path = Path
menu-hand-offs = Hand-offs
preferences = Preferences
language = Language
theme = Theme
theme-system = The system's
theme-light = Light
theme-dark = Dark
sign-out = Sign out
to-the-front = To the front page
role-advisor = Advisor
role-lead = Lead
role-front-line = Front line
role-admin = Administrator
role-machine = Machine

## Signing in

sign-in-title = Sign in to Polku
sign-in = Sign in
sign-in-key = Key
sign-in-hint = Your personal key. Those who run Polku gave it to you.
sign-in-wrong-key = Nobody has this key. Check it and try again.
sign-in-machine = This is a machine's key. People sign in to the desk with a key of their own.
sign-in-too-many = Too many attempts failed. Wait five minutes and try again.
sign-in-used-link = The link was used already, or is too old. Sign in with your key.
about-title = What is Polku?
about = Polku joins what stores, call centres, the web and subcontractors know of a customer into one timeline.
about-more = Every unresolved matter has a department that owns it until the customer's problem is solved.
about-api = The API
about-counts = The counts
about-metrics = The metrics
about-ready = Is it ready?
figures-title = The totals now
figures-events = Events
figures-sum = { $accepted } accepted = { $entries } entries + { $pending } pending + { $anonymous } anonymous + { $apart } apart
figures-repeats = Repeats that changed nothing
figures-refused-door = Refused at a door
figures-refused-machine = Refused by a machine
figures-customers = Customers
figures-open = Open cases
figures-resolved = Resolved cases
figures-balance = The totals balance.
figures-no-balance = The totals do not balance now.
figures-by-department = Open cases by department

## Trouble

trouble-title-signed-out = Sign in
trouble-signed-out = The page is for those who are signed in.
trouble-title-forged = The form was not accepted
trouble-forged = The form is not one of this session. Go back, load the page again and try once more.
trouble-title-forbidden = This is not yours
trouble-forbidden = It belongs to another department, or your role does not allow you to read it.
trouble-title-not-found = There is no such page
trouble-not-found = There is nothing at this address. Perhaps the link is old.
trouble-title-too-large = Too long
trouble-too-large = You sent more text than Polku takes. Shorten it and try again.
trouble-title-too-many = Too many requests
trouble-too-many = The key is used very often just now. Wait a moment and try again.
trouble-title-unreadable = The request was not understood
trouble-unreadable = There is something in the address or the form that Polku does not know.
trouble-title-unavailable = Try again in a moment
trouble-unavailable = Polku cannot save anything now. Nothing was done; try again in a moment.
trouble-title-internal = Something went wrong
trouble-internal = The fault is Polku's, not yours. Those who run it find it in their logs.

## Times

length-units = d h min
length-under-a-minute = under 1 min
length-minutes = { $minutes } min
length-hours = { $hours } h
length-hours-minutes = { $hours } h { $minutes } min
length-days = { $days } d
length-days-hours = { $days } d { $hours } h
moment-today = today at { $time }
moment-yesterday = yesterday at { $time }
moment-tomorrow = tomorrow at { $time }
moment-date = { $date } at { $time }
weekday-mon = Mon
weekday-tue = Tue
weekday-wed = Wed
weekday-thu = Thu
weekday-fri = Fri
weekday-sat = Sat
weekday-sun = Sun
month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec
